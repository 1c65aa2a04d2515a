import { describe, expect, test } from 'vitest'
import { type CheckpointOptions, Checkpoints } from '../../../../connectors/mirror/checkpoints.ts'
import { offsetsAhead } from '../../../../connectors/mirror/group-offsets.ts'
import { defaultPolicy } from '../../../../connectors/mirror/replication-policy.ts'

const options: CheckpointOptions = {
  policy: defaultPolicy({ separator: '.', separatesInternalTopics: true }),
  source: 'here',
  target: 'there',
  isSelected: (topic) => topic !== 'other',
  translate: (_topic, partition, offset) => (partition === 9 ? undefined : offset - 100),
}
const at = (topic: string, partition: number, offset: number) => ({ topic, partition, offset, metadata: 'm' })

describe('checkpoints', () => {
  test('are of selected topics whose offsets can be translated', () => {
    const offsets = [at('orders', 0, 500), at('orders', 9, 500), at('other', 0, 500)]
    expect(new Checkpoints().news('g', offsets, options)).toEqual([
      { group: 'g', topic: 'here.orders', partition: 0, upstreamOffset: 500, downstreamOffset: 400, metadata: 'm' },
    ])
  })

  test('have the first name of a topic that the source has from the target', () => {
    const [checkpoint] = new Checkpoints().news('g', [at('there.orders', 0, 500)], options)
    expect(checkpoint?.topic).toBe('orders')
  })

  test('go back only when the group went back on the source', () => {
    const checkpoints = new Checkpoints()
    const news = (offset: number, shift = 100) => {
      const translate = (): number => offset - shift
      const found = checkpoints.news('g', [at('orders', 0, offset)], { ...options, translate })
      for (const checkpoint of found) checkpoints.put(checkpoint)
      return found.length
    }
    expect(news(500)).toBe(1)
    expect(news(500)).toBe(0)
    expect(news(510)).toBe(1)
    // A history that has become coarser would lead back.
    expect(news(511, 200)).toBe(0)
    expect(news(300)).toBe(1)
    expect(checkpoints.of('g').map(({ downstreamOffset }) => downstreamOffset)).toEqual([200])
    expect(checkpoints.of('h')).toEqual([])
  })

  test('are committed where they bring a group forward', () => {
    const checkpoint = { group: 'g', topic: 't', upstreamOffset: 0, metadata: '' }
    const checkpoints = [0, 1, 2].map((partition) => ({ ...checkpoint, partition, downstreamOffset: 50 }))
    const committed = [at('t', 0, 40), at('t', 1, 60)]
    expect(offsetsAhead(checkpoints, committed)).toEqual([
      { topic: 't', partition: 0, offset: 50, metadata: '' },
      { topic: 't', partition: 2, offset: 50, metadata: '' },
    ])
  })
})
