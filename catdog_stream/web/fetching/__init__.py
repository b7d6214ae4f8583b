"""Pictures that are fetched by their address, which strangers type: with great care."""
