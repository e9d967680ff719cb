import { parseValue } from 'rowcast'
