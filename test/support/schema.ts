/**
 * The JSON of the commands against docs/schema.json. A small check of what that file uses of JSON Schema, and strict: a
 * word it does not know fails, so that no rule of the file is passed over.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export interface Schema {
  $ref?: string
  anyOf?: Schema[]
  enum?: unknown[]
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  items?: Schema
  description?: string
}

const KNOWN = [
  '$ref',
  'anyOf',
  'enum',
  'type',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'description',
]

interface SchemaFile {
  properties: Record<string, Schema>
  $defs: Record<string, Schema>
}

const ROOT = resolve(import.meta.dirname, '../../..')
export const SCHEMA = JSON.parse(readFileSync(join(ROOT, 'docs/schema.json'), 'utf8')) as SchemaFile

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeOf(value) === 'object'
}

/** What is wrong with a value, each with its place; empty where nothing is. */
export function faultsOf(value: unknown, schema: Schema, at = ''): string[] {
  const unknown = Object.keys(schema).filter((word) => !KNOWN.includes(word))
  if (unknown.length > 0) return [`${at}: the schema says ${unknown.join(', ')}, which nobody checks`]
  const { $ref, anyOf, type, properties = {}, required = [], additionalProperties = true, items } = schema
  if ($ref !== undefined) {
    const target = SCHEMA.$defs[$ref.replace('#/$defs/', '')]
    return target === undefined ? [`${at}: there is no ${$ref}`] : faultsOf(value, target, at)
  }
  if (anyOf !== undefined) {
    const faults = anyOf.map((one) => faultsOf(value, one, at))
    // Of several shapes the one that comes closest tells most.
    return faults.toSorted((a, b) => a.length - b.length)[0] ?? []
  }
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return [`${at}: ${JSON.stringify(value)} is none of ${JSON.stringify(schema.enum)}`]
  if (type !== undefined && ![type].flat().includes(typeOf(value)))
    return [`${at}: it is ${typeOf(value)}, not ${type}`]
  if (Array.isArray(value))
    return items === undefined ? [] : value.flatMap((one, index) => faultsOf(one, items, `${at}[${index}]`))
  if (!isRecord(value)) return []
  const faults = required.filter((name) => !(name in value)).map((name) => `${at}.${name}: it is missing`)
  for (const [name, inner] of Object.entries(value)) {
    const rule = Object.hasOwn(properties, name) ? properties[name] : additionalProperties
    if (rule === false) faults.push(`${at}.${name}: nobody has said that it may be there`)
    else if (typeof rule === 'object') faults.push(...faultsOf(inner, rule, `${at}.${name}`))
  }
  return faults
}

/** What is wrong with the JSON that a command has printed. */
export function faultsOfAnswer(command: string, text: string): string[] {
  const schema = SCHEMA.properties[command]
  if (schema === undefined) return [`${command}: it has no schema`]
  return faultsOf(JSON.parse(text), schema, command)
}
