// A backend of the pass-through suite on gorilla/websocket: what it does follows from the path, as pass-through.ts says.
package main

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

const patience = 10 * time.Second

var upgrader = websocket.Upgrader{Subprotocols: []string{"b", "c"}}

type behaviour func(*websocket.Conn, *http.Request) error

var behaviours = map[string]behaviour{
	"/echo":  echo,
	"/greet": greet,
	"/close": closeWith,
	"/cut":   cut,
	"/ping":  ping,
	"/raw":   raw,
}

func echo(socket *websocket.Conn, _ *http.Request) error {
	for {
		kind, message, err := socket.ReadMessage()
		if err != nil {
			return nil
		}
		if err := socket.WriteMessage(kind, message); err != nil {
			return err
		}
	}
}

func greet(socket *websocket.Conn, _ *http.Request) error {
	if err := socket.WriteMessage(websocket.TextMessage, []byte("one")); err != nil {
		return err
	}
	if err := socket.WriteMessage(websocket.BinaryMessage, []byte{2}); err != nil {
		return err
	}
	if err := socket.WriteMessage(websocket.TextMessage, []byte("three")); err != nil {
		return err
	}
	return untilClosed(socket)
}

func closeWith(socket *websocket.Conn, request *http.Request) error {
	if err := socket.WriteMessage(websocket.TextMessage, []byte("before")); err != nil {
		return err
	}
	var content []byte
	if text := request.URL.Query().Get("code"); text != "" {
		code, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		content = websocket.FormatCloseMessage(code, request.URL.Query().Get("reason"))
	}
	if err := socket.WriteControl(websocket.CloseMessage, content, time.Now().Add(patience)); err != nil {
		return err
	}
	return untilClosed(socket)
}

func cut(socket *websocket.Conn, _ *http.Request) error {
	// The connection is closed behind it, without a close frame.
	return socket.WriteMessage(websocket.TextMessage, []byte("before"))
}

func ping(socket *websocket.Conn, _ *http.Request) error {
	socket.SetPongHandler(func(data string) error {
		return socket.WriteMessage(websocket.TextMessage, []byte("pong "+data))
	})
	if err := socket.WriteControl(websocket.PingMessage, []byte("data"), time.Now().Add(patience)); err != nil {
		return err
	}
	return untilClosed(socket)
}

// raw speaks to the network beneath a socket, so that no library answers in between.
func raw(socket *websocket.Conn, request *http.Request) error {
	query := request.URL.Query()
	network := socket.NetConn().(*net.TCPConn)
	read := make([]byte, 1024)
	if query.Get("when") != "open" {
		if _, err := network.Read(read); err != nil {
			return nil
		}
	}
	content, err := hex.DecodeString(query.Get("bytes"))
	if err != nil {
		return err
	}
	if _, err := network.Write(content); err != nil {
		return err
	}
	switch query.Get("then") {
	case "end":
		if err := network.CloseWrite(); err != nil {
			return err
		}
	case "reset":
		// The bytes first: a reset overtakes what has not been read.
		time.Sleep(50 * time.Millisecond)
		return network.SetLinger(0)
	}
	for {
		if _, err := network.Read(read); err != nil {
			return nil
		}
	}
}

// untilClosed answers what has to be answered.
func untilClosed(socket *websocket.Conn) error {
	for {
		if _, _, err := socket.ReadMessage(); err != nil {
			return nil
		}
	}
}

func serve(response http.ResponseWriter, request *http.Request) {
	behave, known := behaviours[request.URL.Path]
	if !known {
		response.WriteHeader(http.StatusForbidden)
		fmt.Fprint(response, "sorry")
		return
	}
	socket, err := upgrader.Upgrade(response, request, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	// gorilla's own handler answers with the code alone; most others with the reason too, and so does the secure layer.
	socket.SetCloseHandler(func(code int, reason string) error {
		return socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(patience))
	})
	if err := behave(socket, request); err != nil {
		fmt.Fprintln(os.Stderr, request.URL.Path, err)
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	fmt.Fprintln(os.Stderr, http.Serve(listener, http.HandlerFunc(serve)))
	os.Exit(1)
}
