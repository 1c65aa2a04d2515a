import { defineConfig } from 'vitest/config'
import { notRun } from './test/optional.ts'

// Child processes that tests start get the condition too, so that they read the SDK's sources.
process.env.NODE_OPTIONS = [process.env.NODE_OPTIONS, '--conditions=source'].filter(Boolean).join(' ')

export default defineConfig({
  resolve: { conditions: ['source', 'node'] },
  ssr: { resolve: { conditions: ['source', 'node'] } },
  test: {
    include: ['test/**/*.test.ts', 'connectors/**/test/**/*.test.ts', 'plugins/**/test/**/*.test.ts'],
    // Templates are tested as what is made of them: test/integration/authors/create-connector.integration.test.ts.
    exclude: ['**/node_modules/**', '**/dist/**', 'plugins/create-connector/templates/**', ...notRun],
    // Only what hangs takes so long: tests wait on conditions, for DEADLINE_MS of test/services/deadline.ts at most, and
    // must pass on slow and busy machines. Hooks may download services.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
