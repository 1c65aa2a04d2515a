const DATABASE_BYTES_MAX = 63

/** Says why a text cannot name a database, or undefined. */
export function databaseProblem(name: string): string | undefined {
  if (Buffer.byteLength(name) > DATABASE_BYTES_MAX) return `"${name}" is longer than the 63 bytes of a database's name`
  return /[/\\. "$\0]/.test(name) ? `"${name}" has a character that names of databases may not have` : undefined
}
