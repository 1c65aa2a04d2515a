import { expect, test } from 'vitest'
import { RequestTargetError } from '../../../src/connect/index.ts'
import { forward } from '../../../src/rest/forward.ts'
import type { RestRequest } from '../../../src/rest/request.ts'

function creation(headers: RestRequest['headers']): RestRequest {
  return { method: 'POST', url: '/connectors', params: {}, query: {}, headers, body: Buffer.from('{}') }
}

const leader = new RequestTargetError('http://leader:8083/')
const created = () =>
  Promise.resolve({
    status: 201,
    headers: { location: 'http://leader:8083/connectors/a%2Fb' },
    body: Buffer.from('{"name":"a/b"}'),
  })

test('what was created elsewhere is found at the worker that was asked', async () => {
  const answer = await forward(creation({ host: 'balancer:80' }), leader, created, 1000)
  expect(answer.headers).toEqual({ location: 'http://balancer:80/connectors/a%2Fb' })
  expect([answer.status, String(answer.body)]).toEqual([201, '{"name":"a/b"}'])
})

test('a client that does not say whom it asked gets the path', async () => {
  expect((await forward(creation({}), leader, created, 1000)).headers).toEqual({ location: '/connectors/a%2Fb' })
})
