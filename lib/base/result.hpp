// What a core returns when a call can be refused: a value, or a code with the words that explain
// it.
#pragma once

#include <asiortc/error.hpp>

#include <boost/system/result.hpp>

#include <string>
#include <utility>

namespace asiortc::base {

/// An error code and, where a person will read it, what was wrong and what was expected.
struct failure {
  failure() = default;
  failure(errc value) : code(value) {}                       // NOLINT(google-explicit-constructor)
  failure(boost::system::error_code value) : code(value) {}  // NOLINT(google-explicit-constructor)
  failure(boost::system::error_code value, std::string words)
      : code(value), detail(std::move(words)) {}

  boost::system::error_code code;
  std::string detail;
};

/// How `result::value()` throws a failure; found by argument-dependent lookup.
[[noreturn]] inline void throw_exception_from_error(const failure& why,
                                                    const boost::source_location&) {
  throw error(why.code, why.detail);
}

template <class T>
using result = boost::system::result<T, failure>;

}  // namespace asiortc::base
