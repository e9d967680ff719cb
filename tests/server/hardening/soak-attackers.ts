// Ten hostile users and one who may do everything: node soak-attackers.ts URL SECONDS [NAME…]. Each does one thing over and over;
// what each got done is printed as one line of JSON at the end.
import { connect, type Socket } from 'node:net'
import { setPriority } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'

// Others' machines: they take of this one what the server and the honest leave.
setPriority(10)

const [base = '', seconds = '1', ...only] = process.argv.slice(2)
const sync = `${base.replace(/^http/, 'ws')}/v1/databases/scene/sync`
const port = Number(new URL(base).port)
const api = `${base}/v1/databases/scene`
const endsAt = performance.now() + Number(seconds) * 1000

function isOn(): boolean {
  return performance.now() < endsAt
}

/** A connection of the protocol by hand. Messages go out as fast as the network takes them. */
class Line {
  readonly socket = new WebSocket(sync, { perMessageDeflate: false })
  #n = 0
  #waiting: (() => void)[] = []
  #transfer = { id: '', pieces: 0 }
  #parts = ''
  last = ''

  constructor() {
    const wake = (): void => {
      for (const go of this.#waiting.splice(0)) go()
    }
    this.socket.on('message', (data) => {
      this.#take(String(data))
      wake()
    })
    this.socket.on('close', wake)
    this.socket.on('error', () => undefined)
  }

  /** Puts together what comes in pieces, and says that they are here. */
  #take(text: string): void {
    const isEnd = text.startsWith('.')
    if (!isEnd && !text.startsWith('+')) {
      this.last = text
      if (text.startsWith('{"n"') && text.includes('"type":"begin"'))
        this.#transfer = { id: (JSON.parse(text) as { transfer: string }).transfer, pieces: 0 }
      return
    }
    this.#parts += text.slice(1)
    const { id } = this.#transfer
    const pieces = ++this.#transfer.pieces
    if (isEnd || pieces % 4 === 0) this.post({ type: 'received', transfer: id, pieces })
    if (!isEnd) return
    this.last = this.#parts
    this.#parts = ''
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN
  }

  /** The next message, or that it has closed. */
  heard(): Promise<void> {
    return this.socket.readyState === WebSocket.CLOSED ? Promise.resolve() : new Promise((go) => this.#waiting.push(go))
  }

  static async open(): Promise<Line> {
    const line = new Line()
    if (line.socket.readyState !== WebSocket.OPEN)
      await new Promise<void>((go) => {
        line.socket.once('open', () => go())
        line.socket.once('close', () => go())
      })
    return line
  }

  static async enter(token: string, subscriptions: readonly object[] = []): Promise<Line> {
    const line = await Line.open()
    line.post({ ...helloOf(token), subscriptions })
    await line.heard()
    return line
  }

  post(message: object): void {
    if (this.isOpen) this.socket.send(JSON.stringify({ n: this.#n++, ...message }))
  }

  /** Until the network has taken what was sent, or it has closed. */
  async sent(): Promise<void> {
    while (this.isOpen && this.socket.bufferedAmount > 0) await delay(1)
  }

  end(): void {
    this.socket.terminate()
  }
}

function helloOf(token: string): object {
  return { type: 'hello', protocol: 4, schemaVersion: 1, database: 'scene', token }
}

function ask(method: string, path: string, token: string, body?: string | Uint8Array): Promise<Response> {
  return fetch(`${api}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: body as BodyInit }),
  })
}

const everything = [{ id: 'all', sets: [] }]

/** By name: one round of it. */
type Attack = (user: string) => AsyncGenerator<void>

async function* brackets(): AsyncGenerator<void> {
  const deep = `{"n":0,"type":"hello","x":${'['.repeat(4_100_000)}${']'.repeat(4_100_000)}}`
  for (;;) {
    const line = await Line.open()
    if (line.isOpen) line.socket.send(deep)
    while (line.isOpen && isOn()) await delay(5)
    line.end()
    yield
  }
}

async function* silence(): AsyncGenerator<void> {
  const lines: Line[] = []
  for (;;) {
    lines.push(await Line.open())
    if (lines.length > 400) lines.shift()!.end()
    yield
  }
}

async function* presence(user: string): AsyncGenerator<void> {
  for (let state = 0; ;) {
    const line = await Line.open()
    const { socket } = line
    const hello = JSON.stringify({ n: 0, ...helloOf(user), subscriptions: [] })
    for (let channel = 0; channel < 200 && line.isOpen; channel++) {
      socket.send(`o${channel}`)
      socket.send(`m${channel} ${hello}`)
    }
    for (let n = 1; line.isOpen; n++)
      for (let channel = 0; channel < 200 && line.isOpen; channel++) {
        socket.send(`m${channel} {"n":${n},"type":"presence","state":"${`${state++}`.padEnd(64_000, 'x')}"}`)
        await line.sent()
        yield
      }
  }
}

async function* filters(user: string): AsyncGenerator<void> {
  const or = Array.from({ length: 600 }, (_, n) => ({ title: { contains: `zz${n}` } }))
  const dear = [
    [{ table: 'text', where: { body: { like: `%${'a'.repeat(16_000)}b%` } } }],
    Array.from({ length: 256 }, () => ({ table: 'heap', where: { or } })),
    [{ table: 'heap', where: { or: or.slice(0, 60) } }],
  ]
  for (let n = 0; ;) {
    const line = await Line.enter(user)
    while (line.isOpen) {
      const id = `${n++}`
      line.post({ type: 'subscribe', subscription: { id, sets: dear[n % dear.length] } })
      line.post({ type: 'unsubscribe', id })
      await line.sent()
      yield
    }
  }
}

async function* churn(user: string): AsyncGenerator<void> {
  for (let n = 0; ;) {
    const line = await Line.enter(user)
    while (line.isOpen) {
      const id = `${n++}`
      line.post({ type: 'subscribe', subscription: { id, sets: [{ table: 'heap', where: { size: { gte: 10 } } }] } })
      line.post({ type: 'unsubscribe', id })
      while (line.isOpen && !(line.last.includes('"unsubscribed"') && line.last.includes(`"${id}"`)) && isOn())
        await line.heard()
      yield
    }
  }
}

async function* copies(user: string): AsyncGenerator<void> {
  for (;;) {
    const line = await Line.enter(user, everything)
    while (line.isOpen && !line.last.includes('"position"') && isOn()) await line.heard()
    line.end()
    yield
  }
}

async function* deaf(user: string): AsyncGenerator<void> {
  for (;;) {
    const line = await Line.enter(user, everything)
    line.socket.pause()
    for (let n = 0; n < 200 && line.isOpen && isOn(); n++) {
      line.post({ type: 'subscribe', subscription: { id: `${n}`, sets: [{ table: 'heap' }] } })
      line.post({ type: 'unsubscribe', id: `${n}` })
      await delay(10)
      yield
    }
    line.end()
  }
}

async function* writes(user: string): AsyncGenerator<void> {
  const rows = (op: string, title: string): object[] =>
    Array.from({ length: 2_000 }, (_, n) => ({
      table: 'heap',
      key: `w${n}`,
      op,
      ...(op !== 'delete' && { after: { ...(op === 'put' && { id: `w${n}` }), title, size: 1 } }),
    }))
  for (let n = 0; ;) {
    const line = await Line.enter(user)
    while (line.isOpen) {
      const op = ['put', 'update', 'update', 'delete'][n++ % 4]!
      line.post({ type: 'transact', transactions: [{ id: crypto.randomUUID(), changes: rows(op, `title ${n}`) }] })
      await line.sent()
      yield
      // What is told of them is read as it comes.
      await delay(0)
    }
    await delay(100)
  }
}

async function* bodies(user: string): AsyncGenerator<void> {
  const sockets: Socket[] = []
  const head = `POST /v1/databases/scene/transactions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${user}\r\nContent-Length: 8000000\r\n\r\n`
  const body = 'x'.repeat(1_000_000)
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(head)
    socket.write(body)
    sockets.push(socket)
    if (sockets.length > 100) sockets.shift()!.destroy()
    await delay(10)
    yield
  }
}

async function* patterns(user: string): AsyncGenerator<void> {
  for (let n = 0; ; n++) {
    const id = `${user}${n}`
    const after = { id, word: `${'a'.repeat(50_000)}!` }
    const changes = [{ table: 'note', key: id, op: 'put', after }]
    await (await ask('POST', '/transactions', user, JSON.stringify({ changes }))).text()
    yield
  }
}

async function* nonsense(user: string): AsyncGenerator<void> {
  const texts = [
    '{',
    '[]',
    '{"n":0}',
    `{"n":0,"type":"transact","transactions":[${'{"id":1},'.repeat(100_000)}{}]}`,
    'x'.repeat(50_000),
  ]
  for (let n = 0; ; n++) {
    const line = await Line.enter(user)
    for (const text of [texts[n % texts.length]!, ...texts]) if (line.isOpen) line.socket.send(text)
    while (line.isOpen && isOn()) await line.heard()
    yield
  }
}

async function* wholes(): AsyncGenerator<void> {
  for (let n = 0; ; n++) {
    const file = new Uint8Array(await (await ask('GET', '/export', 'root')).arrayBuffer())
    yield
    await (await ask('POST', '/fork', 'root', JSON.stringify({ name: `fork${n}` }))).text()
    yield
    const fork = { method: 'PUT', headers: { authorization: 'Bearer root' }, body: file }
    await (await fetch(`${base}/v1/databases/other/import`, fork)).text()
    yield
    await (await fetch(`${base}/v1/databases/fork${n}`, { method: 'DELETE', headers: fork.headers })).text()
  }
}

const attacks: Readonly<Record<string, Attack>> = {
  brackets,
  silence,
  presence,
  filters,
  churn,
  copies,
  deaf,
  writes,
  bodies,
  patterns,
  nonsense,
  wholes,
}

const done: Record<string, number> = {}
const failures: string[] = []

async function attack(name: string, rounds: AsyncGenerator<void>): Promise<void> {
  done[name] = 0
  try {
    for await (const _ of rounds) {
      done[name]++
      if (!isOn()) return
    }
  } catch (error) {
    failures.push(`${name}: ${String(error)}`)
  }
}

const going = Object.entries(attacks)
  .filter(([name]) => only.length === 0 || only.includes(name))
  .map(([name, begin]) => attack(name, begin(name)))
const late = delay(Number(seconds) * 1000 + 2_000)
await Promise.race([Promise.all(going), late])
process.stdout.write(`${JSON.stringify({ done, failures })}\n`)
process.exit(0)
