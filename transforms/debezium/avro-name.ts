/** How names are made to fit Avro: not at all, with underscores, or with the code of what does not fit. */
export const ADJUSTMENTS = ['none', 'avro', 'avro_unicode'] as const

/** An adjuster of schema names, which may have dots, or of field names, which may not. The mode is in any case. */
export function nameAdjuster(mode: (typeof ADJUSTMENTS)[number], kind: 'schema' | 'field'): (name: string) => string {
  if (mode.toLowerCase() === 'none') return (name) => name
  const unicode = mode.toLowerCase() === 'avro_unicode'
  // An underscore stands for itself only where it does not begin a code.
  const underscore = unicode ? '' : '_'
  const wrongFirst = new RegExp(`^[^a-zA-Z${underscore}]`)
  const wrongLater = new RegExp(`(?<=[^])[^a-zA-Z0-9${underscore}${kind === 'schema' ? '.' : ''}]`, 'g')
  const replace = unicode ? codeOf : () => '_'
  return (name) => {
    const later = name.replace(wrongLater, replace)
    // A digit at the start is kept behind an underscore.
    return later.replace(wrongFirst, (first) => (!unicode && /\d/.test(first) ? `_${first}` : replace(first)))
  }
}

function codeOf(character: string): string {
  return `_u${character
    .charCodeAt(0)
    .toString(16)
    .padStart(4, character.charCodeAt(0) > 0xff ? '' : '0')}`
}
