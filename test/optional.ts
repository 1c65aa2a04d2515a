/** Tests of servers that no package registry has: they run where a variable names one, and are told of where none does. */
const OPTIONAL = [
  {
    file: 'test/integration/mongodb-replica-set.integration.test.ts',
    variable: 'MONGO_URL',
    what: 'a MongoDB replica set, 6.0 or later',
  },
]

const missing = OPTIONAL.filter(({ variable }) => (process.env[variable] ?? '') === '')

/** Files that cannot run here. */
export const notRun: readonly string[] = missing.map(({ file }) => file)

/** What to tell of them, one line each. */
export const notRunLines: readonly string[] = missing.map(
  ({ file, variable, what }) => `NOT RUN ${file}: set ${variable} to ${what}`,
)
