// What every public header needs first: the versioned namespace and symbol visibility.
#pragma once

#include <boost/version.hpp>

/// \namespace asiortc
/// WebRTC data channels on Boost.Asio.
///
/// What holds throughout, unless a function says otherwise: a plain function throws nothing but
/// `std::bad_alloc`; an argument that is a value is copied or moved from before the call returns.
/// Thread safety of the structures whose members are public: that of their members, so that one
/// that nobody changes may be read by any number of threads.

// Public names live in an inline namespace that carries the Boost version, so that a program and a
// library built on different Boosts fail to link instead of misbehaving.
#define ASIORTC_CONCAT_IMPL(a, b) a##b
#define ASIORTC_CONCAT(a, b) ASIORTC_CONCAT_IMPL(a, b)
#define ASIORTC_ABI ASIORTC_CONCAT(boost_, BOOST_VERSION)

// The library is built with hidden visibility; only what carries this macro is its interface.
#define ASIORTC_EXPORT __attribute__((visibility("default")))
