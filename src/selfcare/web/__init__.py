"""The web kit: page or fragment, forms, guards, headers, errors. It knows Litestar and no feature."""
