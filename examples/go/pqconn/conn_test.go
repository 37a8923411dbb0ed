package pqconn

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/pqws/pqws"
	"github.com/gorilla/websocket"
)

// serve runs a server on a port of the loopback interface and returns its address. What its connections ended with
// comes through ended.
func serve(t *testing.T, server *Server) (url string, ended chan pqws.CloseStatus) {
	t.Helper()
	ended = make(chan pqws.CloseStatus, 16)
	if server.Handle == nil {
		server.Handle = func(c *Conn) {
			for {
				m, err := c.Read()
				if err != nil {
					ended <- c.Status()
					return
				}
				if c.Send(m) != nil {
					c.Abort()
				}
			}
		}
	}
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	return "ws" + strings.TrimPrefix(h.URL, "http"), ended
}

func dial(t *testing.T, url string, d *Dialer) *Conn {
	t.Helper()
	c, err := d.Dial(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Abort)
	return c
}

func raw(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	return ws
}

// closeCode reads on until the transport closes.
func closeCode(t *testing.T, ws *websocket.Conn) int {
	t.Helper()
	for {
		_, _, err := ws.ReadMessage()
		if err == nil {
			continue
		}
		var closed *websocket.CloseError
		if !errors.As(err, &closed) {
			t.Fatal(err)
		}
		return closed.Code
	}
}

func closedWith(t *testing.T, ws *websocket.Conn, code int) {
	t.Helper()
	if got := closeCode(t, ws); got != code {
		t.Fatalf("closed with %d, want %d", got, code)
	}
}

func TestMutualFlood(t *testing.T) {
	// Both ends have more under way than any buffer of the transport holds.
	url, _ := serve(t, &Server{})
	c := dial(t, url, &Dialer{})
	const count = 64
	message := bytes.Repeat([]byte("flood "), 1<<20/6)
	sent := make(chan error, 1)
	go func() {
		for range count {
			if err := c.SendBinary(message); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for i := range count {
		if m, err := c.Read(); err != nil || !bytes.Equal(m.Data, message) {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}

func TestWireCodes(t *testing.T) {
	url, _ := serve(t, &Server{Options: pqws.Options{HandshakeTimeout: time.Minute}})
	for name, c := range map[string]struct {
		kind int
		data []byte
	}{
		"binary hello":   {websocket.BinaryMessage, []byte("{}")},
		"too long hello": {websocket.TextMessage, bytes.Repeat([]byte(" "), 1<<20)},
		"no hello":       {websocket.TextMessage, []byte("{}")},
	} {
		t.Run(name, func(t *testing.T) {
			ws := raw(t, url)
			if err := ws.WriteMessage(c.kind, c.data); err != nil {
				t.Fatal(err)
			}
			closedWith(t, ws, 3768)
		})
	}
}

func TestHandshakeTimeout(t *testing.T) {
	url, _ := serve(t, &Server{Options: pqws.Options{HandshakeTimeout: time.Millisecond}})
	closedWith(t, raw(t, url), 3769)

	// A server that says nothing: the client's timer.
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		for err == nil {
			_, _, err = ws.ReadMessage()
		}
	}))
	defer silent.Close()
	d := &Dialer{Options: pqws.Options{HandshakeTimeout: time.Millisecond}}
	_, err := d.Dial(t.Context(), "ws"+strings.TrimPrefix(silent.URL, "http"))
	var closed *ClosedError
	if !errors.As(err, &closed) || closed.Code != pqws.CodeTimeout || closed.Failure == nil {
		t.Fatalf("%v", err)
	}
}

func TestOldestPendingIsClosed(t *testing.T) {
	server := &Server{MaxPending: 2}
	url, _ := serve(t, server)
	pending := func(n int) { // the server counts a connection a little after its client has the response
		for count := -1; count != n; runtime.Gosched() {
			server.mu.Lock()
			count = len(server.pending)
			server.mu.Unlock()
		}
	}
	oldest := raw(t, url)
	pending(1)
	other := raw(t, url)
	pending(2)
	c := dial(t, url, &Dialer{}) // the third
	closedWith(t, oldest, 1013)
	if err := other.WriteMessage(websocket.TextMessage, nil); err != nil {
		t.Fatal(err)
	}
	closedWith(t, other, 3768) // it was still there to be judged
	if err := c.SendText("here"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(); err != nil {
		t.Fatal(err)
	}
	_ = dial(t, url, &Dialer{})
	_ = dial(t, url, &Dialer{}) // those that are done do not count
	if st, err := c.Close(4000, ""); err != nil || !st.Clean {
		t.Fatalf("%+v, %v", st, err)
	}
}

// inject sends what no session has sealed.
func (c *Conn) inject(m pqws.TransportMessage) error {
	return c.send(func(*pqws.Session) (pqws.Output, error) {
		return pqws.Output{Send: []pqws.TransportMessage{m}}, nil
	})
}

func TestFailureReachesBothEnds(t *testing.T) {
	for name, c := range map[string]struct {
		hostile func(*Conn) error
		code    uint16
	}{
		"text":     {func(c *Conn) error { return c.inject(pqws.TransportMessage{Text: true, Data: []byte("plain")}) }, 3772},
		"short":    {func(c *Conn) error { return c.inject(pqws.TransportMessage{Data: make([]byte, 28)}) }, 3771},
		"forged":   {func(c *Conn) error { return c.inject(pqws.TransportMessage{Data: make([]byte, 29)}) }, 3771},
		"too long": {func(c *Conn) error { return c.inject(pqws.TransportMessage{Data: make([]byte, 400_000)}) }, 3773},
		"over maxPayload": {func(c *Conn) error {
			return c.SendBinary(make([]byte, 1001))
		}, 3773},
	} {
		t.Run(name, func(t *testing.T) {
			url, ended := serve(t, &Server{Options: pqws.Options{MaxPayload: 1000}})
			client := dial(t, url, &Dialer{})
			// The server may refuse a long frame by its header, before all of it is written.
			if err := c.hostile(client); err != nil && !errors.Is(err, websocket.ErrCloseSent) && !errors.Is(err, pqws.ErrNotOpen) {
				t.Fatal(err)
			}
			if st := <-ended; st.Code != c.code || st.Failure == nil || st.Clean || st.Claimed {
				t.Fatalf("the server sees %+v", st)
			}
			if _, err := client.Read(); err == nil {
				t.Fatal("a message is delivered")
			}
			if st := client.Status(); st.Code != c.code || st.Failure != nil || st.Clean || !st.Claimed {
				t.Fatalf("the client sees %+v", st)
			}
		})
	}
}

func TestContextMismatch(t *testing.T) {
	url, _ := serve(t, &Server{Options: pqws.Options{Context: []byte("a")}})
	for _, context := range [][]byte{nil, []byte("b")} {
		_, err := (&Dialer{Options: pqws.Options{Context: context}}).Dial(t.Context(), url)
		var closed *ClosedError
		if !errors.As(err, &closed) || closed.Code != pqws.CodeHandshake || closed.Failure == nil {
			t.Fatalf("%v", err)
		}
	}
	dial(t, url, &Dialer{Options: pqws.Options{Context: []byte("a")}})
}

func TestIdentity(t *testing.T) {
	sign, public, err := pqws.IdentityFromSeed(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := pqws.IdentityFromSeed(bytes.Repeat([]byte{2}, 32))
	if err != nil {
		t.Fatal(err)
	}
	url, _ := serve(t, &Server{Options: pqws.Options{Identity: sign}})
	dial(t, url, &Dialer{})
	dial(t, url, &Dialer{Options: pqws.Options{Pins: [][]byte{other, public}}})
	unsigned, _ := serve(t, &Server{})
	for _, target := range []string{url, unsigned} {
		_, err = (&Dialer{Options: pqws.Options{Pins: [][]byte{other}}}).Dial(t.Context(), target)
		var closed *ClosedError
		if !errors.As(err, &closed) || closed.Code != pqws.CodeAuthentication {
			t.Fatalf("%v", err)
		}
	}
}

func TestFastOpen(t *testing.T) {
	url, ended := serve(t, &Server{Subprotocols: []string{"chat"}})
	for _, c := range []struct {
		offered []string
		want    string
	}{{nil, ""}, {[]string{"chat"}, "chat"}, {[]string{"other", "chat"}, "chat"}} {
		client := dial(t, url, &Dialer{FastOpen: true, Subprotocols: c.offered})
		if client.Subprotocol() != c.want {
			t.Errorf("%v: %q", c.offered, client.Subprotocol())
		}
		if err := client.SendText("hello"); err != nil {
			t.Fatal(err)
		}
		if m, err := client.Read(); err != nil || string(m.Data) != "hello" {
			t.Fatal(err)
		}
		if st, err := client.Close(0, ""); err != nil || !st.Clean {
			t.Fatalf("%+v, %v", st, err)
		}
		if st := <-ended; !st.Clean || st.Code != 1005 {
			t.Fatalf("the server sees %+v", st)
		}
	}
}

func TestDialIsAborted(t *testing.T) {
	reached := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		_, _, _ = ws.ReadMessage() // ClientHello
		close(reached)
		_, _, _ = ws.ReadMessage()
	}))
	defer hanging.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-reached; cancel() }()
	if _, err := (&Dialer{}).Dial(ctx, "ws"+strings.TrimPrefix(hanging.URL, "http")); err == nil {
		t.Fatal("open")
	}
}

func TestCloseWithMessagesUnderWay(t *testing.T) {
	url, ended := serve(t, &Server{})
	client := dial(t, url, &Dialer{})
	// A close that the peer answers, with messages of the peer's under way: they are discarded, the end is clean.
	for range 8 {
		if err := client.SendText("unread"); err != nil {
			t.Fatal(err)
		}
	}
	st, err := client.Close(4001, "done")
	if err != nil || !st.Clean || st.Code != 4001 || st.Reason != "done" {
		t.Fatalf("%+v, %v", st, err)
	}
	if code := client.TransportCode(); code != 1000 {
		t.Fatalf("transport %d", code)
	}
	if st := <-ended; !st.Clean || st.Code != 4001 {
		t.Fatalf("the server sees %+v", st)
	}
}
