package pqws

import (
	"errors"
	"math/bits"
)

// Padding is 0 for none, 1 to 65,536 for blocks of that size, or Padme (section 7.3).
type Padding int

const Padme Padding = -1

func (p Padding) check() error {
	if p < Padme || p > 65536 {
		return errors.New("pqws: a padding block has 1 to 65,536 bytes")
	}
	return nil
}

// length of inner for content and kind byte of l bytes together.
func (p Padding) length(l int) int {
	switch {
	case p == Padme:
		return padme(l)
	case p > 0:
		return (l + int(p) - 1) / int(p) * int(p)
	}
	return l
}

func padme(l int) int {
	if l < 4 {
		return l
	}
	e := bits.Len(uint(l)) - 1 // floor(log2(l))
	s := bits.Len(uint(e))     // floor(log2(e)) + 1
	if e <= s {
		return l
	}
	unit := 1 << (e - s)
	return (l + unit - 1) / unit * unit
}
