import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { parse } from 'csv-parse'
import { cpuSeconds } from '../measure.ts'
import type { BenchCase, Figures } from '../report.ts'
import { createConnector, deleteConnector, runsWithin, waitFor } from '../rest-client.ts'
import { millraceBroker, millraceWorker } from '../systems.ts'
import { createTopicReader, type TopicReader } from '../topic-reader.ts'

/** Megabytes of the file; MILLRACE_BENCH_CSV_MB makes a shorter run. */
const MEGABYTES = Number(process.env['MILLRACE_BENCH_CSV_MB'] ?? 1000)
const BLOCK_ROWS = 1000
const CITIES = ['Berlin', 'Lisbon', 'Nairobi', 'Osaka', 'Quito', 'Tromsoe', 'Valparaiso']

/** Rows of about 110 bytes, one in five with quotes; gives how many there are. */
async function writeCsv(path: string): Promise<number> {
  const stream = createWriteStream(path)
  stream.write('id,customer,city,amount,created,note\n')
  let rows = 0
  for (let bytes = 0; bytes < MEGABYTES * 1e6; ) {
    let block = ''
    for (let index = 0; index < BLOCK_ROWS; index++, rows++) {
      const note = rows % 5 === 0 ? '"asked, and ""paid"" at once"' : 'nothing that would need a quote'
      const amount = ((rows * 7919) % 100_000) / 100
      block += `${rows},customer ${rows % 10_000},${CITIES[rows % CITIES.length]},${amount},2024-06-01T12:00:00,${note}\n`
    }
    bytes += block.length
    if (!stream.write(block)) await once(stream, 'drain')
  }
  stream.end()
  await finished(stream)
  return rows
}

/** csv-parse with nothing around it: rows are counted and dropped. */
async function parseAlone(path: string, rows: number): Promise<Figures> {
  const cpuBefore = process.cpuUsage()
  const started = performance.now()
  let found = -1
  const parser = createReadStream(path, { highWaterMark: 256 * 1024 }).pipe(parse())
  parser.on('data', () => found++)
  await finished(parser)
  if (found !== rows) throw new Error(`csv-parse read ${found} rows of ${rows}`)
  const { user, system } = process.cpuUsage(cpuBefore)
  return { rows: rows / ((performance.now() - started) / 1000), cpu: (user + system) / 1e6 }
}

interface Run {
  readonly worker: { readonly url: string; pid(): number }
  readonly broker: { pid(): number }
  readonly reader: TopicReader
  readonly folder: string
  readonly file: string
  readonly rows: number
  readonly name: string
}

/** From the file's appearance to the last row in the topic. */
async function toTopic({ worker, broker, reader, folder, file, rows, name }: Run): Promise<Figures> {
  const folders = ['in', 'finished', 'error'].map((part) => join(folder, name, part))
  for (const each of folders) await mkdir(each, { recursive: true })
  const [input = '', done = '', error = ''] = folders
  await createConnector(worker.url, name, {
    'connector.class': 'com.github.jcustenborder.kafka.connect.spooldir.SpoolDirCsvSourceConnector',
    'tasks.max': '1',
    topic: name,
    'input.path': input,
    'finished.path': done,
    'error.path': error,
    'input.file.pattern': '.*\\.csv',
    'csv.first.row.as.header': 'true',
    'schema.generation.enabled': 'true',
    'metadata.location': 'NONE',
    'empty.poll.wait.ms': '10',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
  })
  await runsWithin(worker.url, name)
  const part = join(folder, `${name}.part`)
  await copyFile(file, part)
  const pids = [worker.pid(), broker.pid()]
  const cpuBefore = pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
  const started = performance.now()
  await rename(part, join(input, 'rows.csv'))
  await waitFor(`${rows} rows in ${name}`, async () => (await reader.end(name)) >= rows)
  const seconds = (performance.now() - started) / 1000
  const cpu = pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0) - cpuBefore
  await deleteConnector(worker.url, name)
  // The task may still be putting the file away.
  await rm(join(folder, name), { recursive: true, maxRetries: 20, retryDelay: 100 })
  return { rows: rows / seconds, cpu }
}

export const csvCases: readonly BenchCase[] = [
  {
    name: 'csv-source',
    title: `CSV file -> topic, ${MEGABYTES} MB, against csv-parse alone`,
    targets: [{ figure: 'rows', unit: '1/s', better: 'more', ratio: 0.7 }],
    async sides() {
      const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-csv-'))
      const file = join(folder, 'rows.csv')
      const rows = await writeCsv(file)
      const broker = await millraceBroker()
      const worker = await millraceWorker(broker.bootstrapServers, 'bench-csv')
      const reader = await createTopicReader(broker.bootstrapServers)
      return [
        {
          name: 'Millrace',
          run: (round) => toTopic({ worker, broker, reader, folder, file, rows, name: `csv-${round + 9}` }),
          async stop() {
            await reader.close()
            await worker.stop()
            await broker.stop()
          },
        },
        {
          name: 'csv-parse',
          run: () => parseAlone(file, rows),
          stop: () => rm(folder, { recursive: true, force: true }),
        },
      ]
    },
  },
]
