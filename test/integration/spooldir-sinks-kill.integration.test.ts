// Sinks of files and their topics: equal after kill -9 of task hosts and of the server that holds the files.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseOutputName } from '../../connectors/spooldir/output-name.ts'
import { s3Missing, startS3 } from '../services/s3.ts'
import { bytesOf, connectionOf, keysOf } from './support/s3-tasks.ts'
import { type Row, SinkKills } from './support/sink-kills.ts'

const byId = (a: Row, b: Row): number => a.id - b.id
const rowsOf = (text: string): Row[] => text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))

describe('a topic and its files', () => {
  let kills: SinkKills

  beforeAll(async () => {
    kills = await SinkKills.start()
  })
  afterAll(() => kills?.stop())

  test.skipIf(s3Missing() !== null)('SpoolDirSink in a bucket: each record once, and in order', async () => {
    const server = await startS3()
    try {
      const load = async () => {
        const files = (await keysOf(server, 'out/')).map((key) => ({ key, name: parseOutputName(key.slice(4)) }))
        const texts = await Promise.all(files.map(async ({ key }) => String(await bytesOf(server, key))))
        return files.map(({ name }, at) => ({ name, rows: rowsOf(texts[at] as string) }))
      }
      const rows = await kills.store({
        topic: 'in-a-bucket',
        config: {
          ...connectionOf(server),
          'connector.class': 'SpoolDirSink',
          'file.system': 's3',
          'output.path': '/out',
          'output.compression': 'gzip',
          'flush.size': '170',
          'rotate.interval.ms': '500',
          'file.buffer.size.bytes': '4096',
        },
        stored: async () => (await load()).reduce((sum, file) => sum + file.rows.length, 0),
        async killServer() {
          if (!server.keepsObjects) return
          await server.kill()
          await server.restart()
        },
      })
      const next = new Map<number, number>()
      for (const { name, rows: inFile } of await load()) {
        expect(name?.first).toBe(next.get(name?.partition as number) ?? 0)
        expect(inFile).toHaveLength((name?.last as number) - (name?.first as number) + 1)
        expect(inFile).toEqual(inFile.toSorted(byId))
        next.set(name?.partition as number, (name?.last as number) + 1)
      }
      expect((await load()).flatMap((file) => file.rows).toSorted(byId)).toEqual(rows)
    } finally {
      await server.stop()
    }
  })
})
