import { type Schema, schemas, struct } from '@millrace/sdk'
import type { Draw } from './random.ts'

/** A kind of sample data: its schema, the field that becomes the key, and how a record of an iteration is made. */
export interface Quickstart {
  readonly schema: Schema
  readonly keyField: string
  readonly make: (draw: Draw, iteration: number) => Readonly<Record<string, unknown>>
}

const { int32, int64, float64, string } = schemas

const REGISTERED_FROM = 1_487_715_775_521
const REGISTERED_TO = 1_519_273_364_600

function moment(draw: Draw): bigint {
  return BigInt(draw.int(REGISTERED_FROM, REGISTERED_TO))
}

const users: Quickstart = {
  schema: struct({ registertime: int64, userid: string, regionid: string, gender: string }, { name: 'ksql.users' }),
  keyField: 'userid',
  make: (draw) => ({
    registertime: moment(draw),
    userid: `User_${draw.int(1, 9)}`,
    regionid: `Region_${draw.int(1, 9)}`,
    gender: draw.one(['MALE', 'FEMALE', 'OTHER']),
  }),
}

const address = struct({ city: string, state: string, zipcode: int64 }, { name: 'ksql.address' })

const orders: Quickstart = {
  schema: struct(
    { ordertime: int64, orderid: int32, itemid: string, orderunits: float64, address },
    { name: 'ksql.orders' },
  ),
  keyField: 'orderid',
  make: (draw, iteration) => ({
    ordertime: moment(draw),
    orderid: iteration % 2_147_483_648,
    itemid: `Item_${draw.int(1, 999)}`,
    orderunits: draw.int(1, 100_000) / 10_000,
    address: {
      city: `City_${draw.int(1, 99)}`,
      state: `State_${draw.int(1, 99)}`,
      zipcode: BigInt(draw.int(10_000, 99_999)),
    },
  }),
}

const pageviews: Quickstart = {
  schema: struct({ viewtime: int64, userid: string, pageid: string }, { name: 'ksql.pageviews' }),
  keyField: 'viewtime',
  make: (draw, iteration) => ({
    viewtime: BigInt(1 + iteration * 10),
    userid: `User_${draw.int(1, 9)}`,
    pageid: `Page_${draw.int(10, 99)}`,
  }),
}

const stockTrades: Quickstart = {
  schema: struct(
    { side: string, quantity: int32, symbol: string, price: int32, account: string, userid: string },
    { name: 'ksql.StockTrade' },
  ),
  keyField: 'symbol',
  make: (draw) => ({
    side: draw.one(['BUY', 'SELL']),
    quantity: draw.int(1, 5000),
    symbol: draw.one(['ZBZX', 'ZJZZT', 'ZTEST', 'ZVV', 'ZVZZT', 'ZWZZT', 'ZXZZT']),
    price: draw.int(5, 1000),
    account: draw.one(['ABC123', 'LMN456', 'XYZ789']),
    userid: `User_${draw.int(1, 9)}`,
  }),
}

const ratings: Quickstart = {
  schema: struct(
    {
      rating_id: int64,
      user_id: int32,
      stars: int32,
      route_id: int32,
      rating_time: int64,
      channel: string,
      message: string,
    },
    { name: 'ksql.ratings' },
  ),
  keyField: 'rating_id',
  make: (draw, iteration) => ({
    rating_id: BigInt(iteration + 1),
    user_id: draw.int(1, 20),
    stars: draw.int(1, 5),
    route_id: draw.int(1, 10_000),
    rating_time: BigInt(1 + iteration * 12),
    channel: draw.one(['web', 'ios', 'android', 'ios-test', 'iOS']),
    message: draw.one([
      'worst. flight. ever.',
      'your team here rocks!',
      'is this as good as it gets? really ?',
      'why is it so difficult to keep the bathrooms clean ?',
      'thank you for the most friendly, helpful experience today at your new lounge',
      '(expletive deleted)',
    ]),
  }),
}

const transactions: Quickstart = {
  schema: struct(
    { transaction_id: int64, card_id: int64, user_id: string, purchase_id: int64, store_id: int32 },
    { name: 'datagen.example.transactions' },
  ),
  keyField: 'transaction_id',
  make: (draw, iteration) => ({
    transaction_id: BigInt(iteration + 1),
    card_id: BigInt(draw.int(1, 22)),
    user_id: `User_${draw.int(1, 9)}`,
    purchase_id: BigInt(iteration),
    store_id: draw.int(1, 7),
  }),
}

const inventory: Quickstart = {
  schema: struct({ id: int64, quantity: int64, productid: int64 }, { name: 'datagen.example.inventory' }),
  keyField: 'id',
  make: (draw, iteration) => ({
    id: BigInt(iteration),
    quantity: BigInt(draw.int(80, 100)),
    productid: BigInt(draw.int(1, 100)),
  }),
}

/** The sample data by the names of Confluent's connector; names are compared without case. */
export const quickstarts = {
  users,
  orders,
  pageviews,
  stock_trades: stockTrades,
  ratings,
  transactions,
  inventory,
} as const satisfies Readonly<Record<string, Quickstart>>
