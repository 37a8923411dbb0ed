// GraphQL subscriptions: graphql-ws's server over sealed WebSockets.
import { useServer } from 'graphql-ws/use/ws';
import { GraphQLError, GraphQLObjectType, GraphQLSchema, GraphQLString, GraphQLNonNull } from 'graphql';
import { WebSocketServer } from 'pq-websocket/ws'; // was: from 'ws'

const greeting = { text: { type: new GraphQLNonNull(GraphQLString) } };

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: 'Query',
    fields: { greet: { type: GraphQLString, args: greeting, resolve: (_root, { text }) => `You said: ${text}` } },
  }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: {
      greetings: {
        type: GraphQLString,
        args: greeting,
        async *subscribe(_root, { text }) {
          for (const hello of ['Hi', 'Bonjour', 'Hola', 'Ciao', 'Zdravo']) yield { greetings: `${hello}, ${text}` };
        },
      },
      refused: {
        type: GraphQLString,
        args: greeting,
        subscribe(_root, { text }) {
          throw new GraphQLError(`refused: ${text}`);
        },
      },
    },
  }),
});

export function startServer(port = 8080, options = {}) {
  const server = new WebSocketServer({ port, host: '127.0.0.1', path: '/graphql' });
  const { dispose } = useServer({ schema, ...options }, server);
  return new Promise((resolve) => {
    server.once('listening', () => resolve({ port: server.address().port, server, close: dispose }));
  });
}
