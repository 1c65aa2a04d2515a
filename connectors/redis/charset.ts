/** Names of charsets that Node has too. */
export const CHARSETS = ['UTF-8', 'US-ASCII', 'ISO-8859-1', 'UTF-16LE'] as const

/** Makes text into what a command carries: text itself where Redis gets UTF-8 anyway, which is fastest. */
export type Encode = (text: string) => string | Buffer

/** The encoder of a charset of `CHARSETS`. */
export function encoderOf(charset: string): Encode {
  switch (charset.toUpperCase()) {
    case 'US-ASCII':
      return (text) => Buffer.from(text.replaceAll(/[^\0-\x7f]/g, '?'), 'latin1')
    case 'ISO-8859-1':
      return (text) => Buffer.from(text.replaceAll(/[^\0-\xff]/g, '?'), 'latin1')
    case 'UTF-16LE':
      return (text) => Buffer.from(text, 'utf16le')
    default:
      return (text) => text
  }
}
