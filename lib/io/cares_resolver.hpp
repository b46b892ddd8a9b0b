// The name_resolver over c-ares.
#pragma once

#include "io/cares_channel.hpp"

#include <asiortc/name_resolver.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <memory>

namespace asiortc::io {

inline constexpr std::size_t max_pending_lookups = 256;  ///< more give `host_not_found_try_again`

std::shared_ptr<name_resolver> make_cares_resolver(const boost::asio::any_io_executor& executor,
                                                   cares_options options = {});

}  // namespace asiortc::io
