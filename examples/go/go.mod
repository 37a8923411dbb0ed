module example.com/pqws

go 1.26

require (
	filippo.io/mldsa v1.0.0
	github.com/gorilla/websocket v1.5.3
)
