import { createStore, defineSchema, type SchemaInput, type Store } from 'rowcast'
import { createStoreContext } from 'rowcast/react'
import { createMemoryStore } from 'rowcast/testing'
