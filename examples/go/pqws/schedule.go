package pqws

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"
	"unicode/utf8"
)

const (
	prefix    = "pq-websocket/1 "
	nonceSize = 12
	tagSize   = 16
	overhead  = nonceSize + tagSize
	minFrame  = overhead + 1 // the kind byte

	rootLabel = "root" // of the secret that the next exchange builds on
)

// transcriptHash is th of section 5. A nil context is none.
func transcriptHash(clientHello, serverHello, context []byte) []byte {
	sum := sha256.Sum256(transcriptInput(clientHello, serverHello, context))
	return sum[:]
}

func transcriptInput(clientHello, serverHello, context []byte) []byte {
	input := []byte(prefix + "transcript")
	parts := [][]byte{clientHello, serverHello}
	if context != nil {
		parts = append(parts, context)
	}
	for _, part := range parts {
		input = binary.BigEndian.AppendUint32(input, uint32(len(part)))
		input = append(input, part...)
	}
	return input
}

// expand is HKDF-SHA-256 with th as salt.
func expand(th, secret []byte, info string, size int) []byte {
	key, err := hkdf.Key(sha256.New, secret, th, info, size)
	if err != nil {
		panic("pqws: " + err.Error()) // over 255 * 32 bytes, which callers have ruled out
	}
	return key
}

// A direction is what one sender's records are sealed and opened with (section 6).
type direction struct {
	name string // "client" or "server"
	th   []byte

	key  []byte // key[D,epoch]
	next []byte // next[D,epoch+1]
	aead cipher.AEAD

	seq     uint64 // never reset
	updates uint64 // so far, in all generations
	records uint64 // of this epoch
	bytes   uint64 // of inner, in this epoch
	since   time.Time
}

func newDirection(name string, th, ss []byte, now time.Time) *direction {
	d := &direction{name: name, th: th}
	d.derive(ss, now)
	return d
}

func (d *direction) derive(secret []byte, now time.Time) {
	d.key = expand(d.th, secret, prefix+d.name+" key", 32)
	d.next = expand(d.th, secret, prefix+d.name+" update", 32)
	block, err := aes.NewCipher(d.key)
	if err != nil {
		panic("pqws: " + err.Error()) // key is 32 bytes
	}
	if d.aead, err = cipher.NewGCM(block); err != nil {
		panic("pqws: " + err.Error()) // the block is 16 bytes
	}
	d.records, d.bytes, d.since = 0, 0, now
}

// advance goes to the next epoch and destroys this one.
func (d *direction) advance(now time.Time) {
	oldKey, secret := d.key, d.next
	d.derive(secret, now)
	d.updates++
	clear(oldKey)
	clear(secret)
}

// replace goes to the first epoch of another generation and destroys this one. seq and the count of updates go on.
func (d *direction) replace(first *direction) {
	clear(d.key)
	clear(d.next)
	seq, updates := d.seq, d.updates
	*d = *first
	d.seq, d.updates = seq, updates
}

// destroy overwrites the keys. The AES key schedule within aead is the library's: it can only be let go.
func (d *direction) destroy() {
	clear(d.key)
	clear(d.next)
	d.aead = nil
}

// seal encrypts a buffer of `room for the nonce || inner` in place. nonce has 12 fresh random bytes.
func (d *direction) seal(buffer, nonce []byte) []byte {
	copy(buffer, nonce)
	inner := buffer[nonceSize:]
	d.records++
	d.bytes += uint64(len(inner))
	frame := d.aead.Seal(buffer[:nonceSize], buffer[:nonceSize], inner, binary.BigEndian.AppendUint64(nil, d.seq))
	d.seq++
	return frame
}

var errOpen = errors.New("does not open")

// open returns inner in a buffer of its own. The frame has minFrame bytes or more.
func (d *direction) open(frame []byte) ([]byte, error) {
	aad := binary.BigEndian.AppendUint64(nil, d.seq)
	inner, err := d.aead.Open(nil, frame[:nonceSize], frame[nonceSize:], aad)
	if err != nil {
		return nil, errOpen
	}
	d.seq++
	d.records++
	return inner, nil
}

const maxExport = 255 * sha256.Size // 8,160, what HKDF-SHA-256 gives at most

func exportKey(th, exporter []byte, label string, size int) ([]byte, error) {
	if size < 1 || size > maxExport {
		return nil, errors.New("pqws: an export has 1 to 8,160 bytes")
	}
	if !utf8.ValidString(label) {
		return nil, errors.New("pqws: the label is not valid UTF-8")
	}
	return expand(th, exporter, exportInfo(label, size), size), nil
}

func exportInfo(label string, size int) string {
	return prefix + "export " + string(binary.BigEndian.AppendUint16(nil, uint16(size))) + label
}
