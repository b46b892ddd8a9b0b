// What a call was refused with, as its `value()` throws it.
#pragma once

#include <asiortc/error.hpp>

namespace asiortc::test {

/// The code of the `error` that `call` throws; no error when it throws none.
template <class Call>
boost::system::error_code thrown_by(Call call) {
  try {
    call();
  } catch (const error& thrown) {
    return thrown.code();
  }
  return {};
}

}  // namespace asiortc::test
