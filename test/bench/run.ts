/**
 * `npm run bench -- [case ...] [--rounds 3] [--warm-ups 1]`: every case alternates Millrace and its peer in one run
 * and prints ratios; A/A is how far equal runs lie apart. Without names all cases run. JDBC_ORIGINAL and S3_ORIGINAL name
 * builds of originals that no registry has (originals.ts); BENCH_SCALE=0.1 has a tenth of the rows in those cases.
 */
import { parseArgs } from 'node:util'
import { brokerCases } from './cases/broker.ts'
import { cdcCases } from './cases/cdc.ts'
import { csvCases } from './cases/csv.ts'
import { elasticsearchCases } from './cases/elasticsearch.ts'
import { fileCases } from './cases/file.ts'
import { httpCases } from './cases/http.ts'
import { jdbcOtherCases } from './cases/jdbc-others.ts'
import { jdbcSinkCases } from './cases/jdbc-sink.ts'
import { jdbcSourceCases } from './cases/jdbc-source.ts'
import { mirrorCases } from './cases/mirror.ts'
import { mongoCases } from './cases/mongo-sink.ts'
import { operationsCases } from './cases/operations.ts'
import { s3Cases } from './cases/s3.ts'
import { redisCases } from './cases/redis.ts'
import { syslogCases } from './cases/syslog.ts'
import { type Row, runCase, table } from './report.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, 'warm-ups': { type: 'string', default: '1' } },
})
const cases = [
  ...brokerCases,
  ...fileCases,
  ...csvCases,
  ...cdcCases,
  ...elasticsearchCases,
  ...jdbcSinkCases,
  ...jdbcSourceCases,
  ...jdbcOtherCases,
  ...mongoCases,
  ...operationsCases,
  ...mirrorCases,
  ...httpCases,
  ...syslogCases,
  ...redisCases,
  ...s3Cases,
]
const unknown = positionals.filter((name) => !cases.some((each) => each.name === name))
if (unknown.length > 0) {
  console.error(`no case ${unknown.join(', ')}; there are: ${cases.map((each) => each.name).join(', ')}`)
  process.exit(1)
}
const chosen = positionals.length > 0 ? cases.filter((each) => positionals.includes(each.name)) : cases
const rows: Row[] = []
for (const bench of chosen) {
  console.log(`${bench.name}: ${bench.title}`)
  try {
    rows.push(...(await runCase(bench, Number(values.rounds), Number(values['warm-ups']), (line) => console.log(line))))
  } catch (error) {
    process.exitCode = 1
    console.log(`  FAILED: ${error instanceof Error ? error.stack : String(error)}`)
  }
}
console.log(`\n${table(rows)}`)
process.exit()
