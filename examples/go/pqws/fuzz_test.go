package pqws

import (
	"bytes"
	"testing"
	"time"
)

// FuzzReceive feeds what opens: content and padding as a peer that holds the keys may choose them. Nothing must
// panic, and a failure must have a code of its phase and deliver nothing.
func FuzzReceive(f *testing.F) {
	v := loadVectors(f)
	for _, r := range append(v.ClientRecords, v.ServerRecords...) {
		f.Add([]byte(r.Inner))
	}
	f.Fuzz(func(t *testing.T, inner []byte) {
		// Set, not shaken hands for: ML-KEM would take most of the time.
		server := start(t, "server", Options{MaxPayload: 1024})
		server.in, server.out = newDirection("client", nil, []byte("secret"), time.Time{}), newDirection("server", nil, nil, time.Time{})
		server.state, server.confirmed = Open, true
		client := newDirection("client", nil, []byte("secret"), time.Time{})
		frame := client.seal(append(make([]byte, nonceSize, nonceSize+len(inner)+tagSize), inner...), make([]byte, nonceSize))
		out := server.Receive(false, frame)
		switch out.Close {
		case 0, codeNormal:
			for _, m := range out.Messages {
				if len(m.Data) > 1024 || m.Text && !bytes.Equal(m.Data, []byte(string([]rune(string(m.Data))))) {
					t.Fatal("delivered what must be refused")
				}
			}
		case CodeRecord, CodeViolation, CodeLimit:
			if len(out.Messages) > 0 || server.State() != Failed {
				t.Fatal("delivers beside a failure")
			}
		default:
			t.Fatalf("closes with %d", out.Close)
		}
	})
}

// FuzzHello must neither panic nor accept what it would not answer.
func FuzzHello(f *testing.F) {
	v := loadVectors(f)
	for _, c := range append(v.AcceptedHellos, v.RefusedHellos...) {
		text, data := c.Message.bytes(f)
		f.Add(text, data)
	}
	f.Fuzz(func(t *testing.T, text bool, data []byte) {
		s := start(t, "server", Options{})
		out := s.Receive(text, data)
		if out.Close == 0 && len(out.Send) != 2 || out.Close != 0 && out.Close != CodeHandshake {
			t.Fatalf("%+v", out)
		}
	})
}
