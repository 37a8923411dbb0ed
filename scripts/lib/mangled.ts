/**
 * Members whose names the script tag's files shorten. They are this package's own: no platform's object has them, no public type,
 * and no string names them (test/unit/mangled.test.ts). What is no longer among the sources does no harm here.
 */
export const MANGLED: readonly string[] = [
  ...['abandon', 'agreement', 'answerEarly', 'applicationBytes', 'asTask', 'asText'],
  ...['byHello', 'bytesUnderWay', 'closeDrained', 'closeTransmitted', 'compose'],
  ...['deliver', 'deriveBytes', 'encapsulationKey', 'equalBytes', 'facts', 'failureOf'],
  ...['fallbackWebSocket', 'finishedFrame', 'generateKeyPair', 'giveUp', 'goesAlone', 'handedOver'],
  ...['hasEarlyHello', 'hasRoomFor', 'importSecret', 'inOrder', 'isBusy', 'isClosed'],
  ...['isEmpty', 'isFree', 'isIdle', 'isOpen', 'keyed', 'keyedIfAgreed'],
  ...['keysDrawNonces', 'layered', 'maker', 'maxEpochRecords', 'maxInner', 'maxWaitingBytes'],
  ...['messagesAsTasks', 'nextTask', 'openFinished', 'outbox', 'outcomeOf'],
  ...['peerAccepted', 'peerClose', 'peerClosing', 'pieceBytes', 'proof', 'queueTask'],
  ...['queuedBytes', 'receivedEpochRecords', 'sealFresh', 'sendNow', 'serverHello', 'startTimer'],
  ...['stepTimeout', 'takeFrame', 'tasksEverywhere', 'toBuffer', 'transmit', 'transmitted'],
  ...['transportClosed', 'transportFailed', 'transportGone', 'transportMessage', 'transportOpened', 'transportOptions'],
  ...['underneath', 'waitingBytes', 'wireBytes'],
];
