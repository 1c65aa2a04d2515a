// How many rows a core-second the connector makes ready for the producer: real Postgres, poll and jsonText, no log.
// Usage: node --conditions=source test/bench/micro/cdc-decode.ts [rows] [--profile]
import { CdcRun, configFor, until } from '../../integration/support/cdc-runner.ts'
import { type Postgres, postgresMissing, startPostgres } from '../../services/postgres.ts'

const ROWS = Number(process.argv[2] ?? 1_000_000)

interface Figures {
  rows: number
  bytes: number
}

/** Counts instead of keeping; the bytes are written as for the producer. */
function counting(): { figures: Figures; toText: NonNullable<ConstructorParameters<typeof CdcRun>[1]>['toText'] } {
  const figures = { rows: 0, bytes: 0 }
  return {
    figures,
    toText: (record, part) => {
      if (part === 'key') figures.rows++
      figures.bytes += record.jsonText?.(part)?.length ?? 0
      return null
    },
  }
}

async function measure(
  name: string,
  pg: Postgres,
  config: Record<string, string>,
  load?: (run: CdcRun) => Promise<void>,
) {
  const { figures, toText } = counting()
  if (toText === undefined) return
  const run = await CdcRun.start(configFor(pg, config), { toText, keep: false })
  if (load !== undefined) {
    await run.streaming()
    await load(run)
  }
  const before = { ...figures }
  const cpu = process.cpuUsage()
  const start = performance.now()
  if (load !== undefined) run.resume()
  await until(
    () => `${ROWS} rows, ${figures.rows} came`,
    () => figures.rows >= ROWS || run.error !== undefined,
  )
  const seconds = (performance.now() - start) / 1000
  const used = process.cpuUsage(cpu)
  const core = (used.user + used.system) / 1e6
  const rows = figures.rows - before.rows
  const rate = (per: number): string => Math.round(rows / per).toLocaleString('en')
  const rss = Math.round(process.memoryUsage().rss / 2 ** 20)
  const size = Math.round((figures.bytes - before.bytes) / rows)
  console.log(
    `${name}: ${rate(seconds)} rows/s, ${rate(core)} rows/core-second, ${size} bytes of JSON a row, RSS ${rss} MB`,
  )
  await run.stop()
}

if (postgresMissing(15) !== null) process.exit(1)
const pg = await startPostgres({ version: 15, settings: { max_wal_size: '4GB', shared_buffers: '256MB' } })
try {
  await pg.query(`create table accounts(aid int primary key, bid int, abalance int, filler char(84))`)
  await pg.query(
    `create table wide(id bigserial primary key, a int, b bigint, t text, n numeric(10,2), ts timestamptz, ok boolean, u uuid, j jsonb)`,
  )
  await pg.query(`create table ev(id bigint primary key, k int, v text, ts timestamptz default clock_timestamp())`)
  await pg.query(`insert into accounts select g, 1, 0, '' from generate_series(1, ${ROWS}) g`)
  await pg.query(
    `insert into wide select g, g, g * 1000, md5(g::text), g / 7.0, now(), true, gen_random_uuid(), '{"a": 1, "b": [1, 2]}' from generate_series(1, ${ROWS}) g`,
  )
  const snapshot = (table: string) => ({ 'snapshot.mode': 'initial_only', 'table.include.list': `public.${table}` })
  await measure('warm-up', pg, snapshot('accounts'))
  await measure('snapshot, pgbench_accounts', pg, snapshot('accounts'))
  await measure('snapshot, 9 columns of 150 bytes', pg, snapshot('wide'))
  const stream = (name: string) => ({
    'snapshot.mode': 'no_data',
    'table.include.list': 'public.ev',
    'slot.name': name,
    'publication.name': name,
    'publication.autocreate.mode': 'filtered',
    'slot.drop.on.stop': 'true',
  })
  const pad = `rpad('', 80, 'abcdefghij')`
  await measure('stream, 1,000-row transactions', pg, stream('many'), async (run) => {
    run.pause()
    await pg.query(
      `do $$ begin for i in 0..${ROWS / 1000 - 1} loop insert into ev(id, k, v) select g, g % 100, ${pad} from generate_series(i * 1000, i * 1000 + 999) g; commit; end loop; end $$`,
    )
  })
  await measure('stream, single-row transactions', pg, stream('single'), async (run) => {
    run.pause()
    await pg.query('truncate ev')
    await pg.query('set synchronous_commit = off')
    await pg.query(
      `do $$ begin for i in 0..${ROWS - 1} loop insert into ev(id, k, v) values (i, i % 100, ${pad}); commit; end loop; end $$`,
    )
  })
} finally {
  await pg.stop()
}
