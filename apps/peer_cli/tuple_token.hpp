// The completion token for operations whose error is an answer.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace peer_cli {

inline constexpr auto tuple_token = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace peer_cli
