// A logger that a core is given: cheap to copy, silent by default.
#pragma once

#include <asiortc/log.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace asiortc::base {

class logger {
 public:
  logger() = default;
  logger(log_sink sink, log_level threshold, std::string_view layer)
      : sink_(sink ? std::make_shared<const log_sink>(std::move(sink)) : nullptr),
        threshold_(threshold),
        layer_(layer) {}

  /// The same sink under another layer's name, which must be a literal.
  [[nodiscard]] logger named(std::string_view layer) const {
    logger copy = *this;
    copy.layer_ = layer;
    return copy;
  }

  [[nodiscard]] bool enabled(log_level level) const { return sink_ && level >= threshold_; }

  /// `make_line` returns something convertible to string_view; it runs only if the line is wanted.
  template <class MakeLine>
  void operator()(log_level level, MakeLine make_line) const {
    if (enabled(level)) (*sink_)(level, layer_, make_line());
  }

 private:
  std::shared_ptr<const log_sink> sink_;
  log_level threshold_ = log_level::info;
  std::string_view layer_;
};

}  // namespace asiortc::base
