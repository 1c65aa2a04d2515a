import { expect, test } from 'vitest'
import { ConfigError, parseConfig } from '@millrace/sdk'
import {
  labelsText,
  lackingLabels,
  readLabels,
  requiredLabelsConfig,
} from '../../../../src/connect/config/worker-labels.ts'
import { parseStandaloneConfig } from '../../../../src/connect/config/worker-config.ts'

const worker = {
  'bootstrap.servers': 'localhost:9092',
  'key.converter': 'x',
  'value.converter': 'x',
  'offset.storage.file.filename': 'offsets',
}

test('labels are a list of name=value', () => {
  const config = parseStandaloneConfig({ ...worker, 'worker.labels': 'zone=eu-west/1a , role=edge' })
  expect(config['worker.labels']).toEqual(['zone=eu-west/1a', 'role=edge'])
  expect(parseStandaloneConfig(worker)['worker.labels']).toEqual([])
})

test.each([
  ['edge', '"edge" is no label; write name=value'],
  ['zone=', '"zone=" is no label'],
  ['zone=a=b', '"zone=a=b" is no label'],
  ['zone=a,,role=b', '"" is no label'],
  ['zone=a b', '"zone=a b" is no label'],
  [`zone=${'a'.repeat(64)}`, 'at most 63'],
  ['zone=a,zone=b', 'zone is there twice'],
  [Array.from({ length: 101 }, (_, i) => `n${i}=1`).join(), '101 labels are more than 100'],
])('%s is refused for workers and connectors, with the key, the value and the reason', (text, reason) => {
  const { issues } = parseConfig(requiredLabelsConfig, { 'required.worker.labels': text })
  expect(issues.map((issue) => issue.key)).toEqual(['required.worker.labels'])
  expect(issues[0]?.message).toContain(reason)
  const parse = () => parseStandaloneConfig({ ...worker, 'worker.labels': text })
  expect(parse).toThrow(ConfigError)
  expect(parse).toThrow(' for configuration worker.labels: ')
})

test('all of the required labels have to be there', () => {
  const required = readLabels(' zone=a, role=edge ')
  expect(lackingLabels(required, readLabels('role=edge,zone=a,more=1'))).toEqual([])
  expect(lackingLabels(required, readLabels('role=edge,zone=b'))).toEqual(['zone=a'])
  expect(lackingLabels(readLabels(undefined), readLabels(''))).toEqual([])
})

test('what is no label is lacked by every worker, so that nothing runs where it must not', () => {
  expect(lackingLabels(readLabels('edge'), readLabels('edge=1'))).toEqual(['edge'])
})

test('the same labels are the same text', () => {
  expect(labelsText(readLabels('b=1,a=2'))).toBe(labelsText(readLabels('a=2, b=1')))
})
