// NestJS with its ws adapter. In TypeScript the decorators stand where they are called here.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { secureServer } from 'pq-websocket/ws';

/** The adapter makes npm ws's server itself. */
class SecureWsAdapter extends WsAdapter {
  create(port, options) {
    return secureServer(super.create(port, options)); // the line that is new
  }
}

class ChatGateway {
  say(text) {
    return { event: 'said', data: text };
  }
  leave(socket) {
    socket.close(4000, 'see you');
  }
}
const method = (name, ...decorators) =>
  decorators.forEach((decorate) =>
    decorate(ChatGateway.prototype, name, Object.getOwnPropertyDescriptor(ChatGateway.prototype, name)),
  );
MessageBody()(ChatGateway.prototype, 'say', 0);
method('say', SubscribeMessage('say'));
ConnectedSocket()(ChatGateway.prototype, 'leave', 0);
method('leave', SubscribeMessage('leave'));
WebSocketGateway({ path: '/chat' })(ChatGateway);

class ChatModule {}
Module({ providers: [ChatGateway] })(ChatModule);

export async function startServer(port = 8080) {
  const app = await NestFactory.create(ChatModule, { logger: ['error', 'warn'] });
  app.useWebSocketAdapter(new SecureWsAdapter(app)); // was: new WsAdapter(app)
  await app.listen(port, '127.0.0.1');
  return { port: app.getHttpServer().address().port, close: () => app.close() };
}
