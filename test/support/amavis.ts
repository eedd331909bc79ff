/** Amavis, in the foreground and in a folder of its own: one process that looks for nothing and hands each message back. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { startDaemon } from './daemon.js'
import { findProgram } from './debianpackages.js'
import { makeFolder } from './lab.js'

/** Why it cannot be started here, or false. */
export function cannotRunAmavis(): string | false {
  return findProgram('amavisd') === undefined ? "Debian's package amavisd-new is not installed" : false
}

/**
 * Starts it. It keeps its connection to where it hands mail back for as long as it runs; by itself it does so where there
 * is much mail.
 * @param port where it takes mail
 * @param back where it hands it back, as `127.0.0.1:10025`
 * @returns what ends it
 */
export async function startAmavis(t: Test, port: number, back: string): Promise<() => Promise<void>> {
  const dir = makeFolder(t, 'toeh-amavis-')
  const home = join(dir, 'home')
  for (const folder of ['', 'tmp', 'db', 'var']) mkdirSync(join(home, folder))
  const [, host = '', backPort = ''] = /^(.*):(\d+)$/.exec(back) ?? []
  const path = join(dir, 'amavis.conf')
  writeFileSync(
    path,
    `use strict;
$daemon_user = 'amavis';
$daemon_group = 'amavis';
$max_servers = 1;
$max_requests = 1000;
$MYHOME = '${home}';
$TEMPBASE = '${home}/tmp';
$db_home = '${home}/db';
$helpers_home = '${home}/var';
$lock_file = '${home}/var/amavis.lock';
$pid_file = '${home}/var/amavis.pid';
$unix_socketname = undef;
$QUARANTINEDIR = undef;
$enable_db = 0;
$do_syslog = 0;
$LOGFILE = '${home}/log';
$log_level = 2;
$mydomain = 'company.example';
$myhostname = 'mail.company.example';
@local_domains_maps = ( [ '.company.example' ] );
$inet_socket_bind = '127.0.0.1';
$inet_socket_port = ${port};
$forward_method = 'smtp:[${host}]:${backPort}';
$notify_method = $forward_method;
@bypass_virus_checks_maps = (1);
@bypass_spam_checks_maps = (1);
@bypass_banned_checks_maps = (1);
@bypass_header_checks_maps = (1);
$bypass_decode_parts = 1;
$smtp_connection_cache_enable = 1;
$smtp_connection_cache_on_demand = 0;
1;
`,
  )
  // It takes no settings from a folder that its own user could change.
  chmodSync(dir, 0o755)
  execFileSync('chown', ['-R', 'amavis:amavis', home])
  const child = await startDaemon(t, ['/usr/sbin/amavisd', '-c', path, 'foreground'], port)
  return async () => {
    const gone = new Promise((done) => child.once('exit', done))
    child.kill('SIGTERM')
    await gone
  }
}
