/**
 * The skeleton of a label: what a hurried reader takes it for, after the manner of UTS #39. Two labels with one skeleton
 * look the same. Pure.
 */

/**
 * From Unicode's confusables.txt (UTS #39, version 15.0; https://www.unicode.org/Public/security/): letters and digits
 * that may stand in a domain label and whose prototype there is, marks left out and in lower case, Latin letters or
 * digits. What decomposes (NFKD) to one of these, or to Latin and marks, needs no entry. test/skeleton.test.ts makes the
 * table anew from the file and compares.
 */
export const CONFUSABLES: Record<string, string> = {
  2: 'ƻᒿꛯ',
  3: '𑣊𖼻',
  4: 'Ꮞ',
  6: 'бᏮ𑣕',
  7: '𑣆',
  8: 'ȣ৪੪𐌚𞣋',
  9: '৭੧୨൭𑣌𑣖',
  a: 'ɑαаᎪᗅꓮ𐊠𖽀',
  b: 'ƀƃɓѣҍᏏᏴᑲᑳᖯᗷꓐ𐊂𐊡𐌁',
  c: 'ȼсҫᏟᴄⲥꓚ𐊢𐌂𐐽𐔜𑣩𑣲',
  d: 'đƌɖɗԁᎠᏧᑯᗞᗪꓒꓓ',
  e: 'ɇеҽҿᎬⴹꓰꬲ𐊆',
  f: 'ƒքᖴᵮẝꓝꞙꬵ𐊇𐊥𐔥𑣂',
  g: 'ƍǥɠɡցᏀᏳᶃꓖ',
  h: 'ħɦћһհᎻᏂᏲᕼꓧꚕ𐋏',
  i: 'ıɨɩɪιіӏᎥᵻᵼꙇ𑣃',
  j: 'ɉϳјᎫᒍꓙ',
  k: 'ƙᏦᛕꓗ𐔘',
  l: 'łƚǀɫɭוןا١ٳ۱ߊᏞᒪᛁⵏꓡꓲ𐊊𐌉𐌠𐔦𖼖𖼨𞣇',
  m: 'Ꮇᗰᛖꓟ𐊰𐌑',
  n: 'ƞɳηոռᵰꓠ𐔓',
  o: 'øɵθοσоѳөօסه٥ھہە۵ۿ߀०০੦૦ଠ୦௦౦೦ഠ൦๐໐တဝ၀ჿዐᎾᏫᴏᴑⲟⴱⵁⵔ〇ꓳꝋꬽꬾ𐊒𐊫𐐬𐓪𐔖𑓐𑣈𑣗𑣠',
  p: 'ƥρрᏢᑭᵽⲣꓑ𐊕',
  q: 'ʠԛգզⵕ',
  r: 'ɍɼɽгғᎡᏒᖇᴦᵲⲅꓣꭇꭈ𖼵',
  s: 'ƽʂѕᏕᏚᵴꓢꜱ𐊖𐑈𑣁𖼺',
  t: 'ŧƭᎢᵵꓔ𐊗𐊱𐌕𖼊',
  u: 'ʋυսሀᏌᑌᴜᵾꓴꞟꭎꭒ𐓶𑣘𖽂',
  v: 'νѵט٧۷Ꮩᐯᴠⴸꓦꛟ𐔝𑜆𑣀𖼈',
  w: 'ɯѡѽԝաᎳᏔᴡꓪꝡ𑓅𑜊𑜎𑜏𑣦𑣯',
  x: 'хᕁᕽᚷⵝꓫ𐊐𐊴𐌗𐌢𐔧𑣬',
  y: 'ƴɏɣʏγуүұყᎩᎽᶌỿꓬꭚ𐊲𑣜𖽃',
  z: 'ƶȥʐᏃᴢᵶꓜ𐋵𑣄𑣥',
  aa: 'ꜳ',
  ae: 'æӕ',
  ao: 'ꜵ',
  au: 'ꜷ',
  av: 'ꜹꜻ',
  ay: 'ꜽ',
  dz: 'ʣ',
  ll: 'ǁװ',
  ls: 'ʪ',
  lz: 'ʫ',
  oe: 'œ',
  oo: 'ꚙꝏ',
  rn: 'ɱᵯ𑜀𑣣',
  tf: 'ꝷ',
  ts: 'ʦ',
  ue: 'ᵫ',
  uo: 'ꭣ',
}

/**
 * What the file leaves apart and a reader in a hurry does not: it takes these for small capitals, or for letters that
 * only their own alphabet has.
 */
const READERS: Record<string, string> = {
  3: 'зɜ',
  b: 'вβьƅʙ',
  e: 'єεꞓ',
  g: 'ԍɢ',
  h: 'нʜ',
  j: 'յȷ',
  k: 'кκĸᴋ',
  l: 'ʟ',
  m: 'мʍᴍ',
  n: 'пπŋɴ',
  r: 'ʀ',
  ss: 'ß',
  t: 'тτᴛ',
  w: 'ω',
  x: 'χ',
}

const LATIN = new Map<string, string>(
  [CONFUSABLES, READERS].flatMap((table) =>
    Object.entries(table).flatMap(([latin, letters]) =>
      [...letters].map((letter): [string, string] => [letter, latin]),
    ),
  ),
)

/** What runs together in print, and digits for letters. `i`, `l` and `1` become one, also behind a c. */
const ALIKE: Record<string, string> = {
  ...{ rn: 'm', nn: 'm', vv: 'w', cl: 'd', c1: 'd', ci: 'd', i: 'l' },
  ...{ 0: 'o', 1: 'l', 2: 'z', 3: 'e', 4: 'a', 5: 's', 6: 'b', 7: 't', 8: 'b', 9: 'g' },
}

/** The label as a hurried reader sees it. */
export function skeleton(label: string): string {
  let text = label
  if (/[^\x00-\x7f]/.test(text)) {
    text = text.normalize('NFKD').replace(/\p{M}/gu, '')
    text = text.replace(/[^\x00-\x7f]/gu, (letter) => LATIN.get(letter) ?? letter)
  }
  // A number is a number: 163 is no word in disguise.
  if (/^[0-9-]*$/.test(text)) return text
  return text.replace(/rn|nn|vv|c[l1i]|[0-9i]/g, (alike) => ALIKE[alike] ?? alike)
}
