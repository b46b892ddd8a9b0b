// Ten lines that make a signal of a stream: connect a function to it, and it is called.
#pragma once

#include <asiortc/event_stream.hpp>

#include <optional>
#include <utility>

/// Calls `function` with every event of `stream`, one after the other, until the stream ends.
template <class T, class Function>
void on_each(asiortc::event_stream<T> stream, Function function) {
  auto handler = [stream, function = std::move(function)](boost::system::error_code,
                                                          std::optional<T> event) mutable {
    if (!event) return;  // the end; the code says why
    function(std::move(*event));
    on_each(std::move(stream), std::move(function));
  };
  stream.async_next(std::move(handler));
}
