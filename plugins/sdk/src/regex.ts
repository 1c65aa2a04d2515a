/**
 * Compiles a Java regular expression, as users write them in configurations. Understands what JavaScript lacks: flags
 * at the start (`(?i)`), quoting (`\Q..\E`), `\A`, `\z` and `\Z`. Throws SyntaxError for what is malformed and for
 * `\p{..}`, which JavaScript would take for something else.
 */
export function compileRegex(pattern: string, flags = ''): RegExp {
  let source = pattern
  let all = flags
  const inline = /^\(\?([ims]+)\)/.exec(source)
  if (inline) {
    source = source.slice(inline[0].length)
    all += inline[1] ?? ''
  }
  source = source.replace(/\\Q([^]*?)(?:\\E|$)|\\([^])/g, (whole, quoted, escaped) => {
    if (quoted !== undefined) return String(quoted).replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
    if (escaped === 'p' || escaped === 'P') throw new SyntaxError('\\p{..} is not supported, use a class in brackets')
    if (escaped === 'A') return START
    return escaped === 'z' || escaped === 'Z' ? END : whole
  })
  return new RegExp(source, [...new Set(all)].join(''))
}

/** Tells whether the pattern matches a whole text, as Java's `matches`. */
export function fullMatch(pattern: string): (text: string) => boolean {
  const { source, flags } = compileRegex(pattern)
  const whole = new RegExp(`${START}(?:${source})${END}`, flags)
  return (text) => whole.test(text)
}

const START = '(?<![^])'
const END = '(?![^])'
