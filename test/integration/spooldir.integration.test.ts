import { appendFile, mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { readTopic } from './support/topic-values.ts'
import { useWorker } from './support/worker-hooks.ts'
import { until } from './worker-harness.ts'

const ROWS = 20_000
const KILLS = 3
const FILES_A_KILL = 2
const FILES = KILLS * FILES_A_KILL
const JSON_PLAIN = {
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter.schemas.enable': 'false',
}

const runtime = useWorker()

interface Format {
  readonly name: string
  readonly ending: string
  readonly options: Record<string, string>
  readonly head: string
  row(file: number, row: number): string
  read(value: string): { readonly file: number; readonly row: number }
}

const numbers = (value: { file: unknown; row: unknown }) => ({ file: Number(value.file), row: Number(value.row) })

const formats: readonly Format[] = [
  {
    name: 'csv',
    ending: '.csv',
    options: {
      'connector.class': 'com.github.jcustenborder.kafka.connect.spooldir.SpoolDirCsvSourceConnector',
      'schema.generation.enabled': 'true',
      'csv.first.row.as.header': 'true',
      ...JSON_PLAIN,
    },
    head: 'file,row,text\n',
    row: (file, row) => `${file},${row},"ü, ""${'x'.repeat(row % 50)}""\n"\n`,
    read: (value) => numbers(JSON.parse(value) as never),
  },
  {
    name: 'json',
    ending: '.jsonl.gz',
    options: {
      'connector.class': 'com.github.jcustenborder.kafka.connect.spooldir.SpoolDirSchemaLessJsonSourceConnector',
    },
    head: '',
    row: (file, row) => `${JSON.stringify({ file, row, text: 'ü}"'.repeat(row % 9) })}\n`,
    read: (value) => numbers(JSON.parse(value) as never),
  },
]

test.each(formats)(
  'every row of $name files arrives, in order, through kills of hosts and of the broker',
  async (format) => {
    const { name, ending, options, head, row, read } = format
    const root = join(runtime.worker.folder, name)
    const [input, finished, error] = [join(root, 'in'), join(root, 'finished'), join(root, 'error')]
    for (const folder of [input, finished, error]) await mkdir(folder, { recursive: true })
    const content = (file: number) => head + Array.from({ length: ROWS }, (_, index) => row(file, index)).join('')
    const put = async (file: number): Promise<void> => {
      const path = join(root, `${file}.part`)
      await appendFile(path, ending.endsWith('.gz') ? gzipSync(content(file)) : content(file))
      await rename(path, join(input, `${file}${ending}`))
    }
    await runtime.worker.create(
      {
        ...options,
        name: `files-${name}`,
        topic: `rows-${name}`,
        'input.path': input,
        'finished.path': finished,
        'error.path': error,
        'input.file.pattern': `.*\\${ending}`,
        'batch.size': '50',
        'restart.policy': 'always',
        'restart.backoff.ms': '10',
      },
      2,
    )
    const reader = readTopic(runtime.broker, `rows-${name}`)
    const putAway = async () => (await readdir(finished)).length
    for (let kill = 0; kill < KILLS; kill++) {
      const before = (await reader.read()).length
      // Files for each kill, so that there is something to read when it comes.
      for (let file = kill * FILES_A_KILL; file < (kill + 1) * FILES_A_KILL; file++) await put(file)
      await until('rows arrive', async () => (await reader.read()).length > before)
      if (kill === 1) {
        await runtime.broker.kill()
        await runtime.broker.restart()
      } else runtime.worker.killHosts()
    }
    await until('all files are put away', async () => (await putAway()) === FILES)
    // The lease of a file goes after the file.
    await until('leases are gone', async () => (await readdir(input)).length === 0)
    expect(await readdir(error)).toEqual([])
    const seen = new Map<number, Set<number>>()
    for (const { value } of await reader.read()) {
      const { file, row: index } = read(String(value))
      const rows = seen.get(file) ?? new Set()
      seen.set(file, rows)
      // What comes again after a kill was there before; nothing new is ever ahead of what is missing.
      if (!rows.has(index)) expect(index).toBe(rows.size)
      rows.add(index)
    }
    for (let file = 0; file < FILES; file++) expect(seen.get(file)?.size).toBe(ROWS)
    await reader.close()
  },
)
