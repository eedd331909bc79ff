/** A site: a Debian's Postfix with the gate, the world behind it as a sink, and what became of each message. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { Decision } from '../../lib/logs/decisionlog.js'
import { Debian } from './debian.js'
import { type Answer, find } from './doctor.js'
import { assertDone } from './lab.js'
import { Conversation, isEmptyQueue } from './postfix.js'
import { Sink, type SunkMail } from './sink.js'

export interface Letter {
  /** 25 unless said. */
  port?: number
  /** The client's loopback address. */
  from?: string
  sender: string
  recipients: readonly string[]
  text?: string
  /** What the client says before MAIL, such as its login. */
  first?: string
}

export class Site {
  readonly debian: Debian
  readonly sink: Sink

  private constructor(debian: Debian, sink: Sink) {
    this.debian = debian
    this.sink = sink
  }

  /**
   * Not started yet. toeh.toml is there, and Postfix has nothing of the gate.
   * @param settings of main.cf, as `name=value`
   * @param services lines of master.cf, from what is only known here
   */
  static async make(
    t: Test,
    settings: readonly string[] = [],
    services: (debian: Debian) => string = () => '',
  ): Promise<Site> {
    const sink = await Sink.start()
    t.teardown(() => sink.stop())
    const debian = new Debian(t, sink.port)
    debian.postconf(
      '-e',
      'mynetworks=127.0.0.0/24',
      `local_transport=smtp:[127.0.0.1]:${sink.port}`,
      'local_recipient_maps=',
      ...settings,
    )
    debian.write('master.cf', `${debian.read('master.cf')}${services(debian)}`)
    assertDone(t, await debian.init(), 'internal domains: company.example')
    const site = new Site(debian, sink)
    site.configure((text) =>
      text
        .replace(/^reinject = .*$/m, `reinject = "smtp:${debian.host}:10026"`)
        .replace(/^mode = .*$/m, 'mode = "enforce"'),
    )
    return site
  }

  /** Changes toeh.toml. */
  configure(edit: (text: string) => string): void {
    const text = readFileSync(this.debian.config, 'utf8')
    writeFileSync(this.debian.config, edit(text))
  }

  /** Hands a message over. @returns its queue id, or the reply that refused it: `535 5.7.8` */
  async send({ port = 25, from, sender, recipients, text, first }: Letter): Promise<string> {
    const conversation = await Conversation.open(port, this.debian.host, from)
    try {
      await conversation.say('EHLO client.example\r\n')
      if (first !== undefined) await conversation.say(first)
      return await conversation.send(sender, recipients, text ?? 'Subject: letter\n\nBody\n')
    } catch (error) {
      return /was answered (\d{3} \d\.\d\.\d)/.exec(String(error))?.[1] ?? String(error)
    } finally {
      conversation.close()
    }
  }

  /** Waits until `condition` holds. @throws Error with the log after a minute */
  async until(what: string, condition: () => boolean): Promise<void> {
    for (const end = Date.now() + 60_000; !condition(); ) {
      if (Date.now() > end) throw new Error(`${what}: not within a minute\n${this.debian.log().slice(-6000)}`)
      await new Promise((done) => setTimeout(done, 50))
    }
  }

  /** What the world was sent once Postfix keeps nothing, without notices, which have the null sender. */
  async arrived(): Promise<SunkMail[]> {
    await this.until('an empty queue', () => isEmptyQueue(join(this.debian.dir, 'queue')))
    return this.sink.mails.filter(({ sender }) => sender !== '')
  }

  /** The same as `sender recipient` each, in order. */
  async reached(): Promise<string[]> {
    const mails = await this.arrived()
    return mails.flatMap(({ sender, recipients }) => recipients.map((to) => `${sender} ${to}`)).sort()
  }

  decisions(): Decision[] {
    const folder = join(this.debian.state, 'decisions')
    const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Decision)
  }

  /** What was decided, as `sender recipient verdict reason` each, in order. */
  decided(): string[] {
    return this.decisions()
      .flatMap(({ sender, recipients }) =>
        recipients.map(({ to, verdict, reason }) => `${sender} ${to} ${verdict} ${reason}`),
      )
      .sort()
  }

  /** What doctor says under one name, as `level what`. */
  async faults(check: string): Promise<string[]> {
    const { stdout } = await this.debian.toeh('doctor', '--json', '--config-dir', this.debian.etc)
    return (find(JSON.parse(stdout) as Answer, check)?.faults ?? []).map(
      ({ level, what }) => `${level} ${what}`,
    )
  }
}
