// What every public header needs first: the versioned namespace and symbol visibility.
#pragma once

#include <boost/version.hpp>

// Public names live in an inline namespace that carries the Boost version, so that a program and a
// library built on different Boosts fail to link instead of misbehaving.
#define ASIORTC_CONCAT_IMPL(a, b) a##b
#define ASIORTC_CONCAT(a, b) ASIORTC_CONCAT_IMPL(a, b)
#define ASIORTC_ABI ASIORTC_CONCAT(boost_, BOOST_VERSION)

// The library is built with hidden visibility; only what carries this macro is its interface.
#define ASIORTC_EXPORT __attribute__((visibility("default")))
