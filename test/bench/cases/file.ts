import { once } from 'node:events'
import { createReadStream, createWriteStream, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { cpuSeconds } from '../measure.ts'
import type { BenchCase, Figures, Side } from '../report.ts'
import { type Config, createConnector, deleteConnector, runsWithin, waitFor } from '../rest-client.ts'
import { kafkaBroker, kafkaWorker, millraceBroker, millraceWorker } from '../systems.ts'

const LINES = 1_000_000
const STRING = 'org.apache.kafka.connect.storage.StringConverter'
const JSON_PLAIN = {
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter.schemas.enable': 'false',
}
const TRANSFORMS = 'org.apache.kafka.connect.transforms'

/** Lines are text, so a chain on fields starts by hoisting the line into one. */
const CHAIN = {
  ...JSON_PLAIN,
  transforms: 'hoist,insert,replace,mask',
  'transforms.hoist.type': `${TRANSFORMS}.HoistField$Value`,
  'transforms.hoist.field': 'line',
  'transforms.insert.type': `${TRANSFORMS}.InsertField$Value`,
  'transforms.insert.timestamp.field': 'ts',
  'transforms.insert.static.field': 'origin',
  'transforms.insert.static.value': 'bench',
  'transforms.replace.type': `${TRANSFORMS}.ReplaceField$Value`,
  'transforms.replace.renames': 'line:message',
  'transforms.mask.type': `${TRANSFORMS}.MaskField$Value`,
  'transforms.mask.fields': 'origin',
  'transforms.mask.replacement': 'hidden',
}

async function writeLines(file: string): Promise<void> {
  const stream = createWriteStream(file)
  const filler = `${'abcdefghij'.repeat(8)}klmnopqrs`
  for (let i = 0; i < LINES; i += 1000) {
    let block = ''
    for (let j = i; j < i + 1000; j++) block += `${String(j).padStart(9, '0')} ${filler}\n`
    if (!stream.write(block)) await once(stream, 'drain')
  }
  stream.end()
  await finished(stream)
}

const sizeOf = (file: string): number => {
  try {
    return statSync(file).size
  } catch {
    return 0
  }
}

/**
 * Tells how many lines a growing file has, which is what counts where transforms change their length. Each byte is looked
 * at once: counting all over again would take the CPU that is being measured.
 */
function lineCounter(file: string): () => Promise<number> {
  let position = 0
  let lines = 0
  return async () => {
    if (sizeOf(file) === position) return lines
    for await (const chunk of createReadStream(file, { start: position })) {
      const bytes = chunk as Buffer
      for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++
      position += bytes.length
    }
    return lines
  }
}

function fileCase(name: string, title: string, extra: Config): BenchCase {
  return {
    name,
    title,
    targets: [{ figure: 'records', unit: '1/s', better: 'more', ratio: 1.5 }],
    async sides() {
      const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-file-'))
      const input = join(folder, 'input.txt')
      await writeLines(input)
      const stacks = [
        { broker: await millraceBroker(), start: millraceWorker },
        { broker: await kafkaBroker(), start: kafkaWorker },
      ]
      const sides: Side[] = []
      for (const { broker, start } of stacks) {
        const worker = await start(broker.bootstrapServers, `bench-${name}`)
        sides.push({
          name: broker.name,
          run: (round) =>
            pipe(worker.url, [worker.pid(), broker.pid()], { name: `${name}-${round + 9}`, folder, input, extra }),
          async stop() {
            await worker.stop()
            await broker.stop()
            await rm(folder, { recursive: true, force: true })
          },
        })
      }
      return sides
    },
  }
}

interface Pipe {
  readonly name: string
  readonly folder: string
  readonly input: string
  readonly extra: Config
}

/** File to topic to file with both connectors at once: from the POST of the source to the last line at the destination. */
async function pipe(url: string, pids: readonly number[], { name, folder, input, extra }: Pipe): Promise<Figures> {
  const output = join(folder, `output-${name}-${pids[0]}.txt`)
  const plain = { 'tasks.max': '1', 'key.converter': STRING, 'value.converter': STRING }
  const sink = {
    ...plain,
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
    file: output,
    topics: name,
  }
  const source = {
    ...plain,
    'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
    file: input,
    topic: name,
  }
  await createConnector(url, `sink-${name}`, sink)
  await runsWithin(url, `sink-${name}`)
  const cpuBefore = pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
  const started = performance.now()
  await createConnector(url, `source-${name}`, { ...source, ...extra })
  const lines = lineCounter(output)
  const complete = async () => ('transforms' in extra ? (await lines()) >= LINES : sizeOf(output) >= sizeOf(input))
  await waitFor(`${name} at the destination`, complete)
  const seconds = (performance.now() - started) / 1000
  const cpu = pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0) - cpuBefore
  await deleteConnector(url, `source-${name}`)
  await deleteConnector(url, `sink-${name}`)
  await rm(output, { force: true })
  return { records: LINES / seconds, cpu }
}

export const fileCases: readonly BenchCase[] = [
  fileCase('file', 'file -> topic -> file, 1 M lines of 100 B', {}),
  fileCase('file-smt', 'the same with InsertField, ReplaceField and MaskField (JSON values)', CHAIN),
]
