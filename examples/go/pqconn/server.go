package pqconn

import (
	"net/http"
	"slices"
	"sync"

	"example.com/pqws/pqws"
	"github.com/gorilla/websocket"
)

// DefaultMaxPending is the default of Server.MaxPending.
const DefaultMaxPending = 1024

// A Server is an http.Handler that upgrades every request.
type Server struct {
	Options      pqws.Options
	Subprotocols []string // none that pqws.Reserved has
	MaxPending   int      // handshakes under way; over it the oldest is closed
	// CheckOrigin is gorilla's: nil refuses browsers' requests from another origin.
	CheckOrigin func(*http.Request) bool
	// Handle is called with the client confirmed: nothing in a connection can be a replay. The transport is dropped
	// when it returns.
	Handle func(*Conn)

	mu      sync.Mutex
	pending []*Conn
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	options := s.Options
	options.Background = true
	session, err := pqws.NewServer(options)
	if err != nil || slices.ContainsFunc(s.Subprotocols, pqws.Reserved) {
		http.Error(w, "misconfigured", http.StatusInternalServerError)
		return
	}
	offer := pqws.ReadFastOpen(websocket.Subprotocols(r))
	header := http.Header{}
	if selected := offer.Select(s.Subprotocols); selected != "" {
		header.Set("Sec-WebSocket-Protocol", selected)
	}
	upgrader := websocket.Upgrader{WriteBufferSize: writeBuffer, CheckOrigin: s.CheckOrigin}
	ws, err := upgrader.Upgrade(w, r, header)
	if err != nil {
		return // the response has been written
	}
	c := newConn(ws, session)
	defer c.Abort()
	s.enter(c)
	err = c.handshake(func(s *pqws.Session) pqws.Output {
		if offer.ClientHello != nil {
			return s.StartEarly(offer.ClientHello)
		}
		return s.Start()
	})
	s.leave(c)
	if err == nil {
		s.Handle(c)
	}
}

// enter closes the oldest pending connection when there is one too many (section 4.3).
func (s *Server) enter(c *Conn) {
	limit := s.MaxPending
	if limit == 0 {
		limit = DefaultMaxPending
	}
	s.mu.Lock()
	var oldest *Conn
	if len(s.pending) >= limit {
		oldest, s.pending = s.pending[0], s.pending[1:]
	}
	s.pending = append(s.pending, c)
	s.mu.Unlock()
	if oldest != nil {
		oldest.act((*pqws.Session).Evict)
	}
}

func (s *Server) leave(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.pending, c); i >= 0 {
		s.pending = slices.Delete(s.pending, i, i+1)
	}
}
