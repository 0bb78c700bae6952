"""What the image is made of, as CycloneDX JSON.

The image's build runs it beside the build tools: it imports the standard library and packaging, never app.
"""
