package pqws

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"time"
)

const (
	maxPing = 125
	// A timer that fires later than that was asleep with its process or machine: what arrived meanwhile has not been read.
	lateTimer = time.Second
)

// ErrNoHeartbeat is returned where the peer does not know sealed pings, or one of the ends has turned them off.
var ErrNoHeartbeat = errors.New("pqws: sealed pings are off in this connection")

// A heartbeat is the state of pings in both directions.
type heartbeat struct {
	heard time.Time // when a record was opened last
	wait  wait      // for a sign of life, after a ping of this end's timer

	asked  []sentPing // the application's, unanswered
	lastID uint64

	owed []byte // the content of the pong that waits; nil: none does
}

type sentPing struct {
	id      uint64
	content []byte
}

// Ping sends a sealed ping of at most 125 bytes. Its pong has come when an Output's Ponged has reached id.
func (s *Session) Ping(data []byte) (id uint64, out Output, err error) {
	switch {
	case s.state != Open:
		return 0, Output{}, ErrNotOpen
	case !s.features.heartbeat:
		return 0, Output{}, ErrNoHeartbeat
	case len(data) > maxPing:
		return 0, Output{}, errors.New("pqws: a ping has at most 125 bytes")
	}
	frames, err := s.sealRecord(kindPing, data)
	if err != nil {
		return 0, s.fail(err), nil
	}
	h := &s.heartbeat
	h.lastID++
	h.asked = append(h.asked, sentPing{h.lastID, bytes.Clone(data)})
	return h.lastID, Output{Send: frames}, nil
}

func (s *Session) receiveHeartbeat(kind byte, content []byte) (Output, error) {
	if len(content) > maxPing {
		return Output{}, refuse(CodeViolation, "ping or pong over 125 bytes")
	}
	if s.state != Open {
		return Output{}, nil // after a close
	}
	h := &s.heartbeat
	if kind == kindPing {
		h.owed = append([]byte{}, content...) // in place of one that waits
		return s.pay()
	}
	// The last that matches: where several pings wait, their peer answers the last.
	for i, ping := range slices.Backward(h.asked) {
		if bytes.Equal(ping.content, content) {
			h.asked = h.asked[i+1:]
			return Output{Ponged: ping.id}, nil
		}
	}
	return Output{}, nil // nobody asked for it
}

// pay sends the pong that is owed, once everything before it has been handed over: never more than one waits.
func (s *Session) pay() (Output, error) {
	h := &s.heartbeat
	if h.owed == nil || s.undrained || s.state != Open {
		return Output{}, nil
	}
	content := h.owed
	h.owed = nil
	frames, err := s.sealRecord(kindPong, content)
	return Output{Send: frames}, err
}

// hear notes a sign of life: a record was opened.
func (h *heartbeat) hear(now time.Time) {
	h.heard = now
	h.wait.end()
}

// heartbeatTimer is when a ping is due, or nothing has been heard after one for too long.
func (s *Session) heartbeatTimer() time.Time {
	h := &s.heartbeat
	switch {
	case !s.features.heartbeat || s.options.Heartbeat.Interval == 0:
		return time.Time{}
	case h.wait.on:
		return h.wait.deadline
	}
	return h.heard.Add(s.options.Heartbeat.Interval)
}

// expireHeartbeat pings, or gives the connection up: its transport is dropped without a word.
func (s *Session) expireHeartbeat(now time.Time) (Output, error) {
	h := &s.heartbeat
	if h.wait.on {
		if now.Sub(h.wait.deadline) > lateTimer {
			h.wait.restart(now, s.options.Heartbeat.Timeout)
			return Output{}, nil
		}
		failure := &Failure{codeAbnormal, "nothing came within the heartbeat's timeout"}
		s.finish(Failed, CloseStatus{Code: codeAbnormal, Failure: failure})
		return Output{Terminate: true}, nil
	}
	content := make([]byte, 8) // not what an application's ping has
	if _, err := io.ReadFull(s.options.random, content); err != nil {
		return Output{}, err
	}
	if n := len(h.asked); n > 0 { // of several that wait the peer answers the last alone: it must not be one that nobody asked
		content = h.asked[n-1].content
	}
	h.wait.begin()
	frames, err := s.sealRecord(kindPing, content)
	return Output{Send: frames}, err
}
