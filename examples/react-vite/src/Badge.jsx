import { useEffect, useRef, useState } from 'react';

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

function facts({ pq }) {
  const { counters } = pq;
  return [
    ['Key agreement', `${pq.kem}${pq.nativeKem === true ? ', in the browser’s own code' : ', in JavaScript'}`],
    ['Cipher', `${pq.cipher}, by ${pq.backend}`],
    ['Handshake', pq.handshakeMilliseconds === null ? '–' : `${pq.handshakeMilliseconds.toFixed(1)} ms`],
    ['Records sealed', `${counters.recordsSealed} (${counters.bytesSealed.toLocaleString('en')} bytes)`],
    ['Records opened', `${counters.recordsOpened} (${counters.bytesOpened.toLocaleString('en')} bytes)`],
    ['Transcript', pq.transcriptHash === null ? '–' : hex(pq.transcriptHash)],
  ];
}

/** The lock, and what is behind it. */
export function Badge({ socket, isOpen }) {
  const dialog = useRef(null);
  const [shown, setShown] = useState(null);

  useEffect(() => {
    if (shown === null || socket === null) return undefined;
    const timer = setInterval(() => setShown(facts(socket)), 500);
    return () => clearInterval(timer);
  }, [shown === null, socket]);

  return (
    <>
      <button
        type="button"
        className="badge"
        data-secure={isOpen}
        disabled={socket === null}
        aria-haspopup="dialog"
        onClick={() => {
          setShown(facts(socket));
          dialog.current.showModal();
        }}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path
            d="M4 7V5a4 4 0 0 1 8 0v2h.5A1.5 1.5 0 0 1 14 8.5v5a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 2 13.5v-5A1.5 1.5 0 0 1 3.5 7H4Zm2 0h4V5a2 2 0 1 0-4 0v2Z"
            fill="currentColor"
          />
        </svg>
        {isOpen ? 'Post-quantum' : 'No channel'}
      </button>
      <dialog ref={dialog} aria-labelledby="facts" onClose={() => setShown(null)}>
        <h2 id="facts">This channel</h2>
        <dl>
          {(shown ?? []).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <p>
          Whoever stands between you and the server sees sizes and times, and no word. Both ends have the same
          transcript: compare it to know that nobody is in between.
        </p>
        <form method="dialog">
          <button>Close</button>
        </form>
      </dialog>
    </>
  );
}
