// GET /metrics of a worker with a source and a sink, as Prometheus' own tool and its dashboards read it.
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { rest, until } from '../../integration/connect/connect-cluster.ts'
import { FILE_SINK, FILE_SOURCE, type Pair } from './pair.ts'

/** The attributes of Kafka Connect's MBeans (4.3.1), by group; connect-metrics of the client library are not among them. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  'connect-worker-metrics': `connector-count task-count
    connector-startup-attempts-total connector-startup-success-total connector-startup-success-percentage
    connector-startup-failure-total connector-startup-failure-percentage
    task-startup-attempts-total task-startup-success-total task-startup-success-percentage
    task-startup-failure-total task-startup-failure-percentage
    connector-total-task-count connector-running-task-count connector-paused-task-count connector-failed-task-count
    connector-unassigned-task-count connector-destroyed-task-count connector-restarting-task-count`,
  'connect-worker-rebalance-metrics': `connect-protocol leader-name epoch completed-rebalances-total rebalancing
    rebalance-max-time-ms rebalance-avg-time-ms time-since-last-rebalance-ms`,
  connector: 'status',
  'connector-metrics': 'connector-type connector-class connector-version',
  'connector-task': 'status',
  'connector-task-metrics': `running-ratio pause-ratio offset-commit-max-time-ms offset-commit-avg-time-ms
    offset-commit-success-percentage offset-commit-failure-percentage batch-size-max batch-size-avg
    connector-class connector-type connector-version task-class task-version key-converter-class key-converter-version
    value-converter-class value-converter-version header-converter-class header-converter-version`,
  'source-task-metrics': `source-record-poll-total source-record-poll-rate source-record-write-total
    source-record-write-rate poll-batch-max-time-ms poll-batch-avg-time-ms source-record-active-count
    source-record-active-count-max source-record-active-count-avg`,
  'sink-task-metrics': `sink-record-read-total sink-record-read-rate sink-record-send-total sink-record-send-rate
    sink-record-lag-max partition-count offset-commit-seq-no offset-commit-completion-total
    offset-commit-completion-rate offset-commit-skip-total offset-commit-skip-rate put-batch-max-time-ms
    put-batch-avg-time-ms sink-record-active-count sink-record-active-count-max sink-record-active-count-avg`,
  'task-error-metrics': `total-record-failures total-record-errors total-records-skipped total-retries
    total-errors-logged deadletterqueue-produce-requests deadletterqueue-produce-failures last-error-timestamp`,
  'connector-transform-metrics': 'transform-class transform-version',
}

const expectedNames = Object.entries(ATTRIBUTES).flatMap(([group, names]) =>
  names.split(/\s+/).map((name) => `kafka_connect_${group}_${name}`.replaceAll('-', '_')),
)

/** What the tool advises on names that are not ours to choose. */
const ABOUT_NAMES = /metric names should not contain|metrics should not have "_(count|total)" suffix|use base unit/

interface Family {
  help: string
  type: string
  readonly samples: string[]
}

/** The families of a text, each with what stands in its lines. */
function familiesOf(text: string): Map<string, Family> {
  const families = new Map<string, Family>()
  const family = (name: string) => {
    const known = families.get(name) ?? { help: '', type: '', samples: [] }
    families.set(name, known)
    return known
  }
  for (const line of text.trimEnd().split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line)
    if (comment) {
      const [, kind, name = '', rest = ''] = comment
      family(name)[kind === 'HELP' ? 'help' : 'type'] += rest
    } else {
      family(/^[a-zA-Z_:][\w:]*/.exec(line)?.[0] ?? line).samples.push(line)
    }
  }
  return families
}

export async function metrics({ ours, folder }: Pair): Promise<void> {
  const file = join(folder, 'metrics-in.txt')
  await writeFile(file, 'one\ntwo\n')
  const hoist = { transforms: 'h', 'transforms.h.type': 'HoistField$Value', 'transforms.h.field': 'line' }
  const configs = [
    { name: 'metrics-"source"', 'connector.class': FILE_SOURCE, topic: 'metrics', file, ...hoist },
    { name: 'metrics-sink', 'connector.class': FILE_SINK, topics: 'metrics', file: join(folder, 'metrics-out.txt') },
  ]
  for (const config of configs) {
    const created = await rest(ours.url, 'POST', '/connectors', { name: config.name, config })
    expect([created.status, created.body]).toEqual([201, expect.anything()])
  }
  const look = () => rest(ours.url, 'GET', '/metrics')
  const sent = 'kafka_connect_sink_task_metrics_sink_record_send_total{connector="metrics-sink",task="0"} 2'
  // Hosts report their numbers one after the other.
  const written = /^kafka_connect_source_task_metrics_source_record_write_total\{.*\} 2$/
  await until(
    'both records are counted',
    async () =>
      (await look()).body
        .split('\n')
        .filter((line: string) => /task_status|record_(send|write)_total/.test(line)) as string[],
    (lines) => lines.includes(sent) && lines.some((line) => written.test(line)),
  )
  const { headers, body } = await look()
  expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')

  const { stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' })
  expect(error).toBeUndefined()
  const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !ABOUT_NAMES.test(line))
  expect(complaints).toEqual([])

  const families = familiesOf(body)
  for (const [name, { help, type, samples }] of families) {
    expect([name, help.length > 5, type, samples.length > 0]).toEqual([
      name,
      true,
      expect.stringMatching(/^(counter|gauge)$/),
      true,
    ])
  }
  expect([...families.keys()].toSorted()).toEqual(expectedNames.toSorted())
  for (const { name } of configs)
    expect((await rest(ours.url, 'DELETE', `/connectors/${encodeURIComponent(name)}`)).status).toBe(204)
}
