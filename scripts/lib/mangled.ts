/**
 * Members whose names are shortened in what browsers load, the script tag's files and dist/web. They are this package's own: no
 * platform's object that is used here has them, no public type, no export that is reached by import() or by a namespace, and no
 * string names them (test/unit/mangled.test.ts). Each is there: what the sources no longer say does not stay here.
 */
export const MANGLED: readonly string[] = [
  ...['abandon', 'acceptOwn', 'advance'],
  ...['after', 'agreement', 'amount', 'answersLater', 'apart', 'application', 'applicationBytes'],
  ...['asTask', 'asText', 'ask', 'asked', 'attachTransport', 'awaitsFinished', 'begin', 'bytesUnderWay'],
  ...['checked', 'clientHello', 'closeDrained', 'closeTransmitted', 'compose', 'config', 'createSession', 'deadline'],
  ...['deliver', 'derive', 'deriveBytes', 'deriveSecret', 'destroyKeys', 'dispatch', 'drained', 'encapsulationKey'],
  ...['enter', 'equalBytes', 'establish', 'extensionsCode', 'facts', 'failureOf'],
  ...['fallbackWebSocket', 'finishedFrame', 'generateKeyPair', 'giveUp', 'goesAlone', 'handedOver'],
  ...['hasRoomFor', 'hold', 'holdClose', 'importSecret', 'inOrder', 'initial'],
  ...['isBusy', 'isClosed', 'isClosing', 'isEmpty', 'isFree', 'isIdle', 'isOpen', 'isUtf8', 'joinSecrets', 'keyOf'],
  ...['keyPairs', 'keyed', 'keyedIfAgreed', 'keysDrawNonces', 'layered', 'leave', 'limit', 'limitIntake', 'limits'],
  ...['loadExtensions', 'loading', 'lost', 'maker', 'maxEpochRecords', 'maxFrames', 'maxInner', 'maxWaitingBytes'],
  ...['mayBegin', 'messages', 'messagesAsTasks', 'move', 'nativeOf', 'nextTask', 'onControl', 'openFinished'],
  ...['otherKems', 'outbox', 'outcomeOf', 'owned', 'peerAccepted', 'peerClose', 'peerClosing', 'phase', 'pieceBytes'],
  ...['portableOf', 'prepare', 'proof', 'proofWork', 'queueTask', 'queuedBytes', 'readFinished', 'ready', 'receive'],
  ...['receivedEpochRecords', 'receiver', 'release', 'say', 'sealAlone', 'sealFresh', 'secretOf', 'sendControl'],
  ...['sendNow', 'sender', 'serve', 'serverHello', 'signingKey', 'startExtensions', 'startStep', 'startTimer'],
  ...['state', 'statesFor', 'stepTimeout', 'still', 'stop', 'stopWork', 'switchSending', 'switchTo', 'take'],
  ...['takeFrame', 'tick', 'timersChanged', 'toBuffer', 'transmit', 'transmitted'],
  ...['transportBytes', 'transportClosed', 'transportFailed', 'transportGone', 'transportMessage', 'transportOpened'],
  ...['transportOptions', 'tryToBegin', 'underneath', 'unprovedPeer', 'waitingBytes', 'wantsWork', 'wasOpen'],
  ...['whenDrained', 'wireBytes', 'writeFrame', 'may', 'isOver', 'offer', 'readText'],
  ...['signatures', 'authenticate', 'keySeed', 'judge', 'prove', 'current', 'rows'],
  ...['flush', 'secure', 'drop', 'holdsBack', 'known', 'limitQueue', 'behind'],
  ...['padded', 'random', 'batches', 'watch', 'importedPair', 'become', 'isHolding', 'openFast', 'pushResult'],
];

/** For esbuild's `mangleProps`. */
export const MANGLED_PROPERTIES = new RegExp(`^(${MANGLED.join('|')})$`);
