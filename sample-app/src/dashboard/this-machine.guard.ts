import type { IncomingMessage } from 'node:http';
import { BlockList } from 'node:net';
import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
} from '@nestjs/common';

const thisMachine = new BlockList();
thisMachine.addSubnet('127.0.0.0', 8, 'ipv4');
thisMachine.addAddress('::1', 'ipv6');
const ITS_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Lets only those in who ask from this machine, by a name of it: a page from elsewhere whose name leads here is a
 * stranger. Behind a proxy that runs here everybody asks from here: let people sign in there, as your
 * application does elsewhere.
 */
@Injectable()
export class ThisMachineGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { socket, headers } = context.switchToHttp().getRequest<IncomingMessage>();
    const address = socket.remoteAddress ?? '';
    const name = (headers.host ?? '').replace(/:\d+$/, '');
    const isHere = thisMachine.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
    if (isHere && ITS_NAMES.has(name)) return true;
    throw new ForbiddenException(
      'The dashboard is for who opens it on this machine, at localhost.',
    );
  }
}
