import { fileLogStorage } from '../../../src/server/storage/file-log-storage.ts'
import { appendLoop } from './append-loop.ts'

const [directory = '', tag = '', until = ''] = process.argv.slice(2)
await appendLoop(await fileLogStorage({ directory }).open('shared', { create: true }), tag, Number(until))
