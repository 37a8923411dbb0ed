/** Inputs that have ended, hung or deceived a gateway once. Each run begins with them. */

/** Answers of a backend to whatever it is asked. */
export const ANSWERS: readonly string[] = [
  // Ended the process: node:http's writer refuses the status.
  'HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 099 \r\n\r\n',
  // Its parser takes control characters in a reason phrase, its writer does not.
  'HTTP/1.1 200 a\x01b\r\nContent-Length: 0\r\n\r\n',
  // Nobody asked for a 101: the client waited for ever.
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\n\r\n',
  'HTTP/1.1 200 OK\r\nConnection: content-length\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\n__proto__: x\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 000 OK\r\n\r\n',
  'HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nshort',
];

/** What a backend says behind its 101. */
export const UPSTREAM_FRAMES: readonly string[] = [
  // The client stayed open for 30 s, and what it said was lost.
  '\x83\x03abc',
  '\x88\x02\x03\xe7',
  '\x88\x01x',
  '\x81\x02\xff\xfe',
  '\x09\x00',
  '\x89\x7e\x00\x7e',
  '\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff',
  '\x88\x02\x03\xe8\x81\x01x',
];

/** What a client says instead of HTTP, or as it. */
export const REQUESTS: readonly string[] = [
  'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMA\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\n__proto__: x\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\nExpect: something\r\n\r\n',
];
