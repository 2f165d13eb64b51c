import type { IncomingMessage } from 'node:http';
import { BlockList } from 'node:net';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';

const thisMachine = new BlockList();
thisMachine.addSubnet('127.0.0.0', 8, 'ipv4');
thisMachine.addAddress('::1', 'ipv6');

/**
 * Lets only those in who ask from this machine. Behind a proxy that runs here everybody does: let people sign
 * in there, as your application does elsewhere.
 */
@Injectable()
export class ThisMachineGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { socket } = context.switchToHttp().getRequest<IncomingMessage>();
    const address = socket.remoteAddress ?? '';
    return thisMachine.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
  }
}
