// A worker to be killed by a test: starts a task that writes for ever and prints the process ids of its hosts.
import { startTestWorker, until } from './worker-harness.ts'

const test = await startTestWorker(process.argv[2] ?? '')
await test.create({ name: 'orphan', 'connector.class': 'SteadySource', topic: 'orphan' })
await until('it writes', () => test.metric('source-record-write-total', 'orphan') > 0)
process.stdout.write(`${JSON.stringify(test.hosts)}\n`)
