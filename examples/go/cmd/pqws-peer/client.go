package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"example.com/pqws/pqconn"
	"example.com/pqws/pqws"
)

const caseTimeout = 60 * time.Second

func runClient(args []string, stdout io.Writer) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return errors.New(usage)
	}
	url := args[0]
	dialer := &pqconn.Dialer{}
	flags := flag.NewFlagSet("client", flag.ContinueOnError)
	commonFlags(flags, &dialer.Options)
	flags.BoolVar(&dialer.FastOpen, "fast-open", false, "send ClientHello in the upgrade request too")
	flags.Func("pin", "ML-DSA-65 public key, in hex", func(text string) error {
		pin, err := parsePin(text)
		dialer.Options.Pins = append(dialer.Options.Pins, pin)
		return err
	})
	chosen := cases
	flags.Func("case", "runs this case alone; may be repeated", func(name string) error {
		i := slices.IndexFunc(cases, func(c testCase) bool { return c.name == name })
		if i < 0 {
			return fmt.Errorf("there is no case %q", name)
		}
		if len(chosen) == len(cases) {
			chosen = nil
		}
		chosen = append(chosen, cases[i])
		return nil
	})
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	return runCases(url, dialer, chosen, stdout)
}

// A testCase has a connection of its own, so that one failure fails one case.
type testCase struct {
	name string
	run  func(*peer) error
}

// A peer is the connection of one case, and what opens another.
type peer struct {
	*pqconn.Conn
	padding pqws.Padding
	dial    func() (*peer, error)
}

type verdict struct {
	Case   string `json:"case"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

func runCases(url string, dialer *pqconn.Dialer, cases []testCase, stdout io.Writer) error {
	encoder := json.NewEncoder(stdout)
	var failed error
	for _, c := range cases {
		v := verdict{Case: c.name, OK: true}
		if err := runCase(url, dialer, c); err != nil {
			v.OK, v.Detail, failed = false, err.Error(), errCases
		}
		if err := encoder.Encode(v); err != nil {
			return err
		}
	}
	return failed
}

func runCase(url string, dialer *pqconn.Dialer, c testCase) error {
	ctx, cancel := context.WithTimeout(context.Background(), caseTimeout)
	defer cancel()
	var dial func() (*peer, error)
	dial = func() (*peer, error) {
		conn, err := dialer.Dial(ctx, url)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, conn.Abort) // at the end of the case too, by cancel
		return &peer{conn, dialer.Options.Padding, dial}, nil
	}
	p, err := dial()
	if err != nil {
		return err
	}
	if err := c.run(p); err != nil {
		return err
	}
	return ctx.Err()
}
