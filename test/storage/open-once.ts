// A process of its own for the tests: opens the database given as JSON, adds a ticket, and prints its key.
import { openDatabase } from '../../src/storage/database.ts';
import { createTicket } from '../../src/storage/tickets.ts';

const { owner, ...options } = JSON.parse(process.argv[2] ?? '{}');
const database = await openDatabase(options);
const ticket = await createTicket(database.db, owner, { title: 'from another process' });
await database.close();
process.stdout.write(ticket.key);
